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
    change_files,
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


def test_an_input_sets_the_address_of_the_metadata_service() -> None:
    host = change_commands(build_ubuntu(), {"curl ": [127, ""]})
    host["commands"].insert(0, ["curl .* http://127.0.0.1:9/latest/meta-data/$", [0, "401"]])
    assert read_results(host, "ec2-imds-01", imds_url="http://127.0.0.1:9") == (None, [True])


def test_pending_red_hat_updates_do_not_include_obsoleted_packages() -> None:
    listing = (
        "\nopenssl.x86_64   1:3.0.8-1   amazonlinux\nkernel.x86_64  6.1.2-3  amazonlinux\n"
        "Obsoleting Packages\nold.noarch   1-1   amazonlinux\n"
    )
    host = change_commands(build_amazon(), {"dnf --quiet --rel": [100, listing]})
    assert read_results(host, "ec2-update-01") == (None, [False])
    assert read_results(host, "ec2-update-01", max_pending_security_updates=2) == (None, [True])
    assert read_results(host, "ec2-update-01", max_pending_security_updates=1) == (None, [False])


def test_text_that_is_not_utf_8_fails_no_control() -> None:
    """InSpec counts an exception as a failure."""
    files = {
        "/etc/ssh/sshd_config": "Banner /etc/\udcff\n",
        "/etc/sudoers.d/90-cloud": "ubuntu ALL=(ALL) NOPASSWD:ALL # \udcff\n",
        "/etc/chrony/sources.d/ubuntu.sources": "pool ntp.example.com # \udcff\n",
    }
    host = change_commands(
        change_files(build_ubuntu(), files),
        {
            "sshd -T": [0, f"{SSHD}banner /etc/\udcff\n"],
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
