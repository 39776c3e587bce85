"""The results of the profile on made-up hosts: passed, failed, or skipped with a reason."""

from typing import Any

import pytest

from tests.profile.hosts import (
    SSHD,
    Host,
    build_amazon,
    build_broken,
    build_ubuntu,
    build_unreadable,
    change_commands,
)
from tests.profile.runner import MISSING, RUBY, find_failed, find_skipped, record_controls
from tests.profile.test_form import IMPACTS

pytestmark = pytest.mark.skipif(RUBY is None, reason=MISSING)


def read_results(host: Host, control: str, **inputs: Any) -> tuple[str | None, list[bool]]:
    """Return why a control skips, if it does, and whether each of its expectations passes."""
    (found,) = (each for each in record_controls(host, **inputs) if each["id"] == control)
    return found["skip"], [result["passed"] for result in found["results"]]


@pytest.mark.parametrize("host", [build_ubuntu(), build_amazon()], ids=["ubuntu", "amazon"])
def test_a_hardened_host_passes_every_control(host: Host) -> None:
    controls = record_controls(host)
    assert find_failed(controls) == {}
    assert find_skipped(controls) == {}


def test_a_broken_host_fails_every_control() -> None:
    controls = record_controls(build_broken())
    assert find_skipped(controls) == {}
    assert find_failed(controls).keys() == IMPACTS.keys()


@pytest.mark.parametrize("family", ["debian", "redhat"])
def test_an_unreadable_host_skips_every_control_with_a_reason(family: str) -> None:
    controls = record_controls(build_unreadable(family))
    assert [each["id"] for each in controls if each["results"]] == []
    reasons = find_skipped(controls)
    assert reasons.keys() == IMPACTS.keys()
    assert all(reasons.values())


@pytest.mark.parametrize(
    ("host", "controls"),
    [
        (change_commands(build_ubuntu(), {"sshd -T": [255, ""]}), ["ec2-ssh-01", "ec2-ssh-06"]),
        (change_commands(build_ubuntu(), {"sshd -T": [0, ""]}), ["ec2-ssh-01", "ec2-ssh-03"]),
        (
            change_commands(build_ubuntu(), {"sshd -T": [0, "ciphers aes\n"]}),
            ["ec2-ssh-04", "ec2-ssh-06"],
        ),
        (
            change_commands(build_ubuntu(), {"^id -u$": [0, "1000\n"]}),
            ["ec2-ssh-07", "ec2-sudo-01", "ec2-sudo-02", "ec2-audit-03", "ec2-file-05"],
        ),
        (change_commands(build_ubuntu(), {"auditctl -l$": [255, ""]}), ["ec2-audit-03"]),
        (change_commands(build_ubuntu(), {"server.pool.peer": [2, ""]}), ["ec2-time-02"]),
        (change_commands(build_ubuntu(), {"ss -ltn$": [127, ""]}), ["ec2-net-01"]),
        (change_commands(build_ubuntu(), {"find / -xdev": [124, "/srv/a\n"]}), ["ec2-file-05"]),
        (change_commands(build_ubuntu(), {"curl ": [28, "000"]}), ["ec2-imds-01"]),
        (change_commands(build_ubuntu(), {"curl ": [0, "404"]}), ["ec2-imds-01"]),
        (change_commands(build_ubuntu(), {"find /var/lib/apt/lists": [0, ""]}), ["ec2-update-01"]),
        (change_commands(build_ubuntu(), {"apt-get --simulate": [100, ""]}), ["ec2-update-01"]),
        (change_commands(build_amazon(), {"dnf ": [1, "Error: no network\n"]}), ["ec2-update-01"]),
        (change_commands(build_amazon(), {"needs-restarting": [2, ""]}), ["ec2-update-02"]),
    ],
)
def test_a_control_without_its_data_is_skipped_with_a_reason(
    host: Host, controls: list[str]
) -> None:
    found = record_controls(host)
    assert find_failed(found) == {}
    reasons = find_skipped(found)
    assert all(reasons.get(name) for name in controls)


@pytest.mark.parametrize(("status", "passed"), [("200", False), ("401", True), ("403", True)])
def test_the_metadata_service_must_refuse_a_request_without_a_token(
    status: str, *, passed: bool
) -> None:
    host = change_commands(build_ubuntu(), {"curl ": [0, status]})
    assert read_results(host, "ec2-imds-01") == (None, [passed])


def test_an_input_sets_the_address_of_the_metadata_service() -> None:
    host = change_commands(build_ubuntu(), {"curl ": [127, ""]})
    host["commands"].insert(0, ["curl .* http://127.0.0.1:9/latest/meta-data/$", [0, "401"]])
    assert read_results(host, "ec2-imds-01", imds_url="http://127.0.0.1:9") == (None, [True])


def test_pending_red_hat_updates_do_not_include_obsoleted_packages() -> None:
    listing = (
        "\nopenssl.x86_64   1:3.0.8-1   amazonlinux\nkernel.x86_64  6.1.2-3  amazonlinux\n"
        "Obsoleting Packages\nold.noarch   1-1   amazonlinux\n"
    )
    host = change_commands(build_amazon(), {"dnf ": [100, listing]})
    assert read_results(host, "ec2-update-01") == (None, [False])
    assert read_results(host, "ec2-update-01", max_pending_security_updates=2) == (None, [True])
    assert read_results(host, "ec2-update-01", max_pending_security_updates=1) == (None, [False])


def test_text_that_is_not_utf_8_fails_no_control() -> None:
    """InSpec counts an exception as a failure."""
    host = change_commands(
        build_ubuntu(),
        {
            "sshd -T": [0, f"{SSHD}banner /etc/\udcff\n"],
            "NOPASSWD": [0, "ubuntu ALL=(ALL) NOPASSWD:ALL # \udcff\n"],
            "server.pool.peer": [0, "pool ntp.example.com # \udcff\n"],
            "auditctl -l$": [0, "-w /etc/ -p wa -k \udcff\n"],
        },
    )
    controls = record_controls(host)
    assert (find_failed(controls), find_skipped(controls)) == ({}, {})


def test_inputs_allow_exceptions() -> None:
    host = build_broken()
    assert read_results(host, "ec2-acct-03", login_system_accounts=["sync", "pg"]) == (None, [True])
    allowed = ["%wheel", "first"]
    assert read_results(host, "ec2-sudo-02", passwordless_sudo_users=allowed) == (None, [True])


def test_an_audit_rule_for_the_directory_or_for_each_file_passes() -> None:
    each = "".join(
        f"-a always,exit -S all -F path={path} -F perm=wa\n"
        for path in ("/etc/group", "/etc/gshadow", "/etc/passwd", "/etc/shadow", "/etc/sudoers")
    )
    for rules, passed in ((each, True), ("-w /etc/passwd-old -p wa\n", False), ("", False)):
        host = change_commands(build_ubuntu(), {"auditctl -l$": [0, rules]})
        assert read_results(host, "ec2-audit-03") == (None, [passed]), rules
