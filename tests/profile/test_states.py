"""The verdict of each control in each state that it was tried in. The README has the table."""

import re
from collections import Counter

import pytest

from tests.profile import (
    states_accounts,
    states_audit_time,
    states_kernel_files,
    states_ssh,
    states_updates,
)
from tests.profile.runner import MISSING, PROFILE, RUBY, record_controls
from tests.profile.state import FAILS, SKIPS, State, read_verdict
from tests.profile.test_form import IMPACTS

pytestmark = pytest.mark.skipif(RUBY is None, reason=MISSING)

STATES = [
    *states_ssh.STATES,
    *states_accounts.STATES,
    *states_audit_time.STATES,
    *states_kernel_files.STATES,
    *states_updates.STATES,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: f"{state.control}: {state.name}")
def test_a_control_says_what_it_can_know_about_the_state(state: State) -> None:
    (found,) = (
        each for each in record_controls(state.host, **state.inputs) if each["id"] == state.control
    )

    assert read_verdict(found) == state.verdict
    # Who reads the report must learn why.
    assert all(each["skip"] for each in found["results"] if each["passed"] is None)
    assert found["skip"] != ""


def test_every_control_was_tried_in_states_that_fail_and_that_skip() -> None:
    tried = {(each.control, each.verdict) for each in STATES}
    assert {(name, verdict) for name in IMPACTS for verdict in (FAILS, SKIPS)} - tried == set()


def test_names_of_states_are_unique() -> None:
    assert max(Counter((each.control, each.name) for each in STATES).values()) == 1


def test_the_readme_lists_every_state_with_its_verdict() -> None:
    text = (PROFILE / "README.md").read_text()
    rows = re.findall(
        r"^\| `ec2-[\w-]+` \| .+ \| (?:passes|fails|skips)(?: in part)? \|$", text, re.MULTILINE
    )
    assert rows == [each.row for each in STATES]
