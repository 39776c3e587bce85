"""A fleet of two nodes whose scans the tests of decisions decide about."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from chalicelib.domain.announcement import (
    Alert,
    ChannelState,
    Decision,
    Line,
    LineReason,
    Lines,
)
from chalicelib.domain.decision import decide_announcement
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.scan import Coverage, Job, JobKind, Outcome
from tests.fleet import HOUR, MINUTE, START

FINDING = Finding("i-1", "SSH must not allow root", Severity.HIGH, "ssh-01", START, "scan")
NO_LINES, ONE_LINE = Lines(), Lines((Line(FINDING, LineReason.NEW),))
NOTHING_KNOWN = ChannelState()
# i-1 has reported for an execution that began at START, i-2 has not.
COMPLETE = Coverage(known=2, reports={"i-1": START + MINUTE, "i-2": START - HOUR}, read=1)


def make_job(association: str = "a-1", at: datetime = START, **fields: Any) -> Job:
    """Returns the job of an execution that began at `at`, with these fields changed."""
    job = Job(f"{association}#{at}", JobKind.EXECUTION, at, at, association, "Success", at)
    return replace(job, **fields)


def decide(
    coverage: Coverage = COMPLETE,
    jobs: tuple[Job, ...] = (),
    state: ChannelState = NOTHING_KNOWN,
    lines: Lines = NO_LINES,
    at: datetime = START + 2 * MINUTE,
    *,
    quiet_answers: bool = True,
) -> Decision:
    """Decides what a scan with this coverage announces."""
    outcome = Outcome("scan", at, (), {}, coverage)
    return decide_announcement(outcome, lines, jobs, state, at, quiet_answers=quiet_answers)


def get_alert(decision: Decision) -> Alert:
    """Returns the alert of a decision that must have one."""
    assert decision.alert is not None
    return decision.alert
