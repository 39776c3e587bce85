"""The scanner of `make test` finds the secrets that this project deals with."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCANNER = Path(sys.executable).with_name("detect-secrets-hook")


def scan(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - a program of this environment
        [SCANNER, "--baseline", ".secrets.baseline", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


# Put together here, so that this very file holds none.
@pytest.mark.parametrize(
    "secret",
    [
        "xoxb" + "-123456789012-1234567890123-" + secrets.token_hex(12),
        "AKIA" + "QWERTYUIOPASDFGH",
        "eis_" + secrets.token_urlsafe(32),
        "https://hooks.slack" + ".com/services/T0AAAAAAA/B0BBBBBBB/" + secrets.token_hex(12),
        "-----BEGIN RSA " + "PRIVATE KEY-----",
    ],
    ids=["slack", "aws", "api", "webhook", "key"],
)
def test_a_secret_is_found(secret: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f'VALUE = "{secret}"\n')
    found = scan(file)
    assert found.returncode == 1, found.stdout
    assert "settings.py:1" in found.stdout


def test_what_is_no_secret_is_not(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text('VALUE = "SSH must not allow root"\nNODE = "i-0a1b2c3d4e5f60004"\n')
    assert scan(file).returncode == 0
