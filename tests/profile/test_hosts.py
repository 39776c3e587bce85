"""What the profile makes of hosts: it passes, it fails, and of what it cannot see it says so."""

from typing import Any

import pytest

from tests.profile.hosts import SSHD, Host, amazon, blind, broken, changed, ubuntu
from tests.profile.running import MISSING, RUBY, failed, recorded, skipped
from tests.profile.test_form import IMPACTS

pytestmark = pytest.mark.skipif(RUBY is None, reason=MISSING)


def results(host: Host, control: str, **inputs: Any) -> tuple[str | None, list[bool]]:
    """Why a control skips, and how its expectations end."""
    (found,) = (each for each in recorded(host, **inputs) if each["id"] == control)
    return found["skip"], [result["passed"] for result in found["results"]]


@pytest.mark.parametrize("host", [ubuntu(), amazon()], ids=["ubuntu", "amazon"])
def test_a_hardened_host_passes_everything_and_nothing_is_left_out(host: Host) -> None:
    controls = recorded(host)
    assert failed(controls) == {}
    assert skipped(controls) == {}


def test_a_broken_host_fails_every_control() -> None:
    controls = recorded(broken())
    assert skipped(controls) == {}
    assert failed(controls).keys() == IMPACTS.keys()


@pytest.mark.parametrize("family", ["debian", "redhat"])
def test_a_host_of_which_nothing_can_be_seen_neither_fails_nor_passes(family: str) -> None:
    controls = recorded(blind(family))
    assert [each["id"] for each in controls if each["results"]] == []
    reasons = skipped(controls)
    assert reasons.keys() == IMPACTS.keys()
    assert all(reasons.values())


@pytest.mark.parametrize(
    ("host", "controls"),
    [
        (changed(ubuntu(), {"sshd -T": [255, ""]}), ["ec2-ssh-01", "ec2-ssh-06"]),
        (changed(ubuntu(), {"sshd -T": [0, ""]}), ["ec2-ssh-01", "ec2-ssh-03"]),
        (changed(ubuntu(), {"sshd -T": [0, "ciphers aes\n"]}), ["ec2-ssh-04", "ec2-ssh-06"]),
        (
            changed(ubuntu(), {"^id -u$": [0, "1000\n"]}),
            ["ec2-ssh-07", "ec2-sudo-01", "ec2-sudo-02", "ec2-audit-03", "ec2-file-05"],
        ),
        (changed(ubuntu(), {"auditctl -l$": [255, ""]}), ["ec2-audit-03"]),
        (changed(ubuntu(), {"server.pool.peer": [2, ""]}), ["ec2-time-02"]),
        (changed(ubuntu(), {"ss -ltn$": [127, ""]}), ["ec2-net-01"]),
        (changed(ubuntu(), {"find / -xdev": [124, "/srv/a\n"]}), ["ec2-file-05"]),
        (changed(ubuntu(), {"curl ": [28, "000"]}), ["ec2-imds-01"]),
        (changed(ubuntu(), {"curl ": [0, "404"]}), ["ec2-imds-01"]),
        (changed(ubuntu(), {"find /var/lib/apt/lists": [0, ""]}), ["ec2-update-01"]),
        (changed(ubuntu(), {"apt-get --simulate": [100, ""]}), ["ec2-update-01"]),
        (changed(amazon(), {"dnf ": [1, "Error: no network\n"]}), ["ec2-update-01"]),
        (changed(amazon(), {"needs-restarting": [2, ""]}), ["ec2-update-02"]),
    ],
)
def test_what_could_not_be_seen_is_skipped_with_a_reason(host: Host, controls: list[str]) -> None:
    found = recorded(host)
    assert failed(found) == {}
    reasons = skipped(found)
    assert all(reasons.get(name) for name in controls)


@pytest.mark.parametrize(("status", "passed"), [("200", False), ("401", True), ("403", True)])
def test_the_metadata_service_has_to_refuse_a_request_without_a_token(
    status: str, *, passed: bool
) -> None:
    host = changed(ubuntu(), {"curl ": [0, status]})
    assert results(host, "ec2-imds-01") == (None, [passed])


def test_the_metadata_service_is_asked_where_the_input_says() -> None:
    host = changed(ubuntu(), {"curl ": [127, ""]})
    host["commands"].insert(0, ["curl .* http://127.0.0.1:9/latest/meta-data/$", [0, "401"]])
    assert results(host, "ec2-imds-01", imds_url="http://127.0.0.1:9") == (None, [True])


def test_updates_of_the_red_hat_family_are_counted_without_what_they_replace() -> None:
    listing = (
        "\nopenssl.x86_64   1:3.0.8-1   amazonlinux\nkernel.x86_64  6.1.2-3  amazonlinux\n"
        "Obsoleting Packages\nold.noarch   1-1   amazonlinux\n"
    )
    host = changed(amazon(), {"dnf ": [100, listing]})
    assert results(host, "ec2-update-01") == (None, [False])
    assert results(host, "ec2-update-01", max_pending_security_updates=2) == (None, [True])
    assert results(host, "ec2-update-01", max_pending_security_updates=1) == (None, [False])


def test_text_that_is_no_utf_8_fails_nothing() -> None:
    """An exception would count as a failure."""
    host = changed(
        ubuntu(),
        {
            "sshd -T": [0, f"{SSHD}banner /etc/\udcff\n"],
            "NOPASSWD": [0, "ubuntu ALL=(ALL) NOPASSWD:ALL # \udcff\n"],
            "server.pool.peer": [0, "pool ntp.example.com # \udcff\n"],
            "auditctl -l$": [0, "-w /etc/ -p wa -k \udcff\n"],
        },
    )
    controls = recorded(host)
    assert (failed(controls), skipped(controls)) == ({}, {})


def test_exceptions_are_inputs() -> None:
    host = broken()
    assert results(host, "ec2-acct-03", login_system_accounts=["sync", "pg"]) == (None, [True])
    allowed = ["%wheel", "first"]
    assert results(host, "ec2-sudo-02", passwordless_sudo_users=allowed) == (None, [True])


def test_a_rule_of_audit_for_the_directory_or_for_each_file_is_enough() -> None:
    each = "".join(
        f"-a always,exit -S all -F path={path} -F perm=wa\n"
        for path in ("/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow", "/etc/sudoers")
    )
    for rules, passed in ((each, True), ("-w /etc/passwd-old -p wa\n", False), ("", False)):
        host = changed(ubuntu(), {"auditctl -l$": [0, rules]})
        assert results(host, "ec2-audit-03") == (None, [passed]), rules
