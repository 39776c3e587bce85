from datetime import timedelta

from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.monthly import SOON, listed, summarize
from chalicelib.domain.snooze import Muting
from tests.fleet import START, snooze


def test_a_month_counts_what_is_snoozed_and_what_ends_soon() -> None:
    found = [Finding(f"i-{n}", "A", Severity.HIGH, "c", START, "scan") for n in range(4)]
    soon = snooze(instance_id="i-0", title="A", ends_at=START + SOON)
    late = snooze(
        id="s-2", instance_id="i-1", title="A", ends_at=START + SOON + timedelta(seconds=1)
    )
    forever = snooze(id="s-3", instance_id="i-2", title="A", ends_at=None)
    rows = listed(found, Muting([soon, late, forever], START))
    report = summarize(rows, [], START, "monthly/a.csv")
    assert (report.total, report.affected_nodes) == (4, 4)
    assert (report.snoozed, report.ending_soon) == (3, 1)
    assert report.oldest == found[0]
