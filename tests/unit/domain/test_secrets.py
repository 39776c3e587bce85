"""Secrets in titles are masked, and ordinary titles are not."""

import csv
import io
from datetime import UTC, datetime

import pytest

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.snooze import ListedFinding
from chalicelib.domain.text import one_line, visible
from chalicelib.reports.csv_file import render_csv

# Secrets are put together here, so that this file contains none.
AWS = "AKIA" + "QWERTYUIOPASDFGH"
AWS_BESIDE = "wJalrXUtnFEMI/" + "K7MDENG/bPxRfiCYzzzzzzzzzz"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJl-_"
PEM, PEM_END = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
RANDOM = "a1B2" * 9


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        # after a name
        ("password=hunter2", "password=***"),
        ("DB_PASSWORD = hunter2 and more", "DB_PASSWORD = *** and more"),
        ("passwd: hunter2", "passwd: ***"),
        ("passwd: swordfish", "passwd: ***"),
        ("passphrase:hunter2", "passphrase:***"),
        ("openssl -passin pass:hunter2", "openssl -passin pass:***"),
        ("secret=abc", "secret=***"),
        ("client_secret := abc", "client_secret := ***"),
        ("https://host/a?token=abc&user=me", "https://host/a?token=***&user=me"),
        ("api_key=abc", "api_key=***"),
        ("apiKey: " + '"abc def"', 'apiKey: "***"'),
        ("Pwd=abc;Server=db", "Pwd=***;Server=db"),
        ("AccountKey=abc+def==;Endpoint=x", "AccountKey=***;Endpoint=x"),
        ("private_key = abc", "private_key = ***"),
        ('{"password": ' + '"a b", "user": "me"}', '{"password": "***", "user": "me"}'),
        (r'"{\"password\": \"a b\", \"n\": 1}"', r'"{\"password\": \"***\", \"n\": 1}"'),
        ('"password" : ' + '"a b"', '"password" : "***"'),
        ("'secret' => " + "'a b'", "'secret' => '***'"),
        ("<password>hunter2</password>", "<password>***</password>"),
        ('is expected to match "password=hunter2"', 'is expected to match "password=***"'),
        ("is expected to match /password=hunter2/", "is expected to match /password=***"),
        ('password=h"un)ter2', "password=***"),
        ('password="not closed', 'password="***'),
        ("password=1234", "password=***"),
        ("mysql --password hunter2 -u me", "mysql --password *** -u me"),
        ("tool --api-key abc", "tool --api-key ***"),
        # by form
        (f"key {AWS} is set", "key AKIA*** is set"),
        (f"ASIA{AWS[4:]}", "ASIA***"),
        (f"{AWS} {AWS_BESIDE}", "AKIA*** ***"),
        (f"{AWS}:{AWS_BESIDE}", "AKIA***:***"),
        ("xoxb" + "-123456789012-abc", "xoxb-***"),
        ("xapp" + "-1-A0AAAAAAA-1-abc", "xapp-***"),
        (
            "https://hooks.slack" + ".com/services/T0AAAAAAA/B0BBBBBBB/abc",
            "https://hooks.slack.com/services/***",
        ),
        ("ghp_" + RANDOM, "ghp_***"),
        ("gho_" + RANDOM, "gho_***"),
        ("github_pat_" + RANDOM, "github_pat_***"),
        ("glpat-" + RANDOM, "glpat-***"),
        ("eis_" + RANDOM, "eis_***"),
        (f"cookie {JWT};", "cookie eyJ***;"),
        (rf"{PEM}\nMIIEabcdefgh\n{PEM_END}\n", rf"{PEM}***{PEM_END}\n"),
        (f"{PEM} MIIEabcdefgh", f"{PEM}***"),
        ("postgres://user:p@ss@host/db", "postgres://user:***@host/db"),
        ("https://:abc@host", "https://:***@host"),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("authorization: Basic abc=", "authorization: Basic ***"),
        ('"Authorization" => "Bearer abc"', '"Authorization" => "Bearer ***"'),
        ("Authorization=abc", "Authorization=***"),
        (f"curl -H Bearer {RANDOM}", "curl -H Bearer ***"),
        ("token=Bearer abc", "token=Bearer ***"),
        # hidden by what nobody sees
        ("pass\u200bword=hunter2", "password=***"),
        ("password\n=\thunter2", "password = ***"),
    ],
)
def test_a_secret_is_masked_and_the_rest_is_kept(text: str, masked: str) -> None:
    assert visible(text) == masked
    assert visible(masked) == masked


@pytest.mark.parametrize(
    "title",
    [
        'Parse Config PermitEmptyPasswords is expected to eq "no"',
        "password minimum length is expected to be >= 14",
        "login.defs PASS_MAX_DAYS is expected to cmp <= 365",
        'SSH must not allow empty passwords : Parse Config  permitemptypasswords is expected to cmp == "no"',  # noqa: E501 - as InSpec writes it
        (
            "No account may have an empty password : /etc/shadow with password == "
            '"" users is expected to be empty'
        ),
        "No account may have an empty password : Shadow users is expected to be empty",
        (
            "Passwordless sudo must be limited to the image default user : NOPASSWD rules is "
            "expected to be empty"
        ),
        (
            "/etc/passwd must be owned by root and not be more permissive than 0644 : File "
            '/etc/passwd is expected not to be more permissive than "0644"'
        ),
        "/etc/passwd: missing",
        "/etc/passwd: wrong owner",
        (
            "SSH host keys and configuration must be private to root : File "
            '/etc/ssh/ssh_host_ecdsa_key is expected not to be more permissive than "0640"'
        ),
        "SSH private key: must be 0600",
        "The instance metadata service must refuse requests without a token (IMDSv2 only) : No-op",
        "IMDSv2 token: required",
        "HttpTokens=required",
        "Password: minimum length is 14",
        "Set password: 14",
        "pass: 12 fail: 3",
        "PasswordAuthentication=no",
        "UsePassword = yes",
        'password: "no"',
        'password=""',
        "minlen=14 ucredit=-1 : /etc/security/pwquality.conf",
        "PWD=/root",
        "password == secret",
        "password =~ /x/",
        "AWS::SecretsManager::Secret is encrypted",
        "Do not use the option --password to log in",
        f"File content is expected not to match /{PEM}/",
        f"No file begins with {PEM}",
        "Basic authentication must be off",
        "Bearer authentication is expected to be required",
        "Authorization header : Command curl is expected to match /401/",
        "Port 443 at https://host:443/login is expected to be listening",
        "ASIA region, AKIA prefix, xox, eis_, ghp_, eyJ",
        "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709 is expected to match",
    ],
)
def test_an_ordinary_title_is_shown_as_it_is(title: str) -> None:
    assert visible(title) == title


def test_a_masked_title_is_in_the_csv_and_in_lines_of_messages() -> None:
    title = "Config : File /etc/app.ini content is expected to match /password=hunter2/"
    at = datetime(2026, 11, 23, tzinfo=UTC)
    finding = Finding(
        instance_id="i-1",
        title=title,
        severity=Severity.HIGH,
        control_id="app-1",
        compliance_type="Custom:InSpec",
        first_seen=at,
        scan_id="scan-1",
    )

    content = b"".join(render_csv([ListedFinding(finding, None)])).decode("utf-8-sig")
    row = next(iter(csv.DictReader(io.StringIO(content))))

    assert row["title"] == one_line(title, 100) == title.replace("hunter2/", "***")
    assert row["finding_id"] == finding.finding_id
