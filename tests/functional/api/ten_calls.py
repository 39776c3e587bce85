"""Ten calls with the client that openapi-python-client generates from our specification.

Run with the address of the API and a token. mypy checks this file against the generated client,
which exists only in the test (tests/functional/api/test_generated_client.py).
"""

import sys
from datetime import timedelta
from http import HTTPStatus

from ec2_inspec_scan_client import AuthenticatedClient
from ec2_inspec_scan_client.api.findings import (
    get_finding,
    get_finding_events,
    list_findings,
    snooze_finding,
)
from ec2_inspec_scan_client.api.snoozes import change_snooze, create_snooze, end_snooze
from ec2_inspec_scan_client.api.summary import get_summary
from ec2_inspec_scan_client.models import (
    ChangeSnooze,
    CreateSnooze,
    EventList,
    FindingDetailResponse,
    FindingList,
    Problem,
    Reason,
    Severity,
    SnoozeFinding,
    SnoozePreviewResponse,
    SnoozeResponse,
    State,
    SummaryResponse,
)
from ec2_inspec_scan_client.types import Unset


def snooze_a_finding(client: AuthenticatedClient) -> None:
    """Finds a finding, snoozes it for two weeks, and reads what became of it: four calls."""
    found = list_findings.sync(client=client, severity=Severity.CRITICAL, limit=1)
    assert isinstance(found, FindingList)
    (finding,) = found.items

    fortnight = SnoozeFinding(Reason.FIX_SCHEDULED, "TICKET-42", duration="P14D")
    snooze = snooze_finding.sync(finding.finding_id, client=client, body=fortnight)
    assert isinstance(snooze, SnoozeResponse)
    assert snooze.state is State.ACTIVE
    assert snooze.ends_at is not None
    assert timedelta(days=13) < snooze.ends_at - snooze.starts_at <= timedelta(days=14)

    detail = get_finding.sync(finding.finding_id, client=client)
    assert isinstance(detail, FindingDetailResponse)
    assert detail.snoozed_by is not None
    assert detail.snoozed_by.id == snooze.id

    events = get_finding_events.sync(finding.finding_id, client=client)
    assert isinstance(events, EventList)
    assert [each.kind for each in events.items] == ["new", "snooze created"]
    assert events.items[0].at == finding.first_seen


def snooze_an_instance(client: AuthenticatedClient, instance_id: str) -> None:
    """Counts what a rule would mute, makes it, changes it, ends it: five calls."""
    rule = CreateSnooze(
        Reason.MAINTENANCE, "new image tonight", instance_id=instance_id, permanent=True
    )
    preview = create_snooze.sync(client=client, body=rule, dry_run=True)
    assert isinstance(preview, SnoozePreviewResponse)
    assert preview.total == sum(preview.by_severity.additional_properties.values())

    made = create_snooze.sync(client=client, body=rule)
    assert isinstance(made, SnoozeResponse)
    assert made.ends_at is None

    change = ChangeSnooze(duration="P3D")
    changed = change_snooze.sync(made.id, client=client, body=change, if_match='"1"')
    assert isinstance(changed, SnoozeResponse)
    assert (changed.version, changed.comment) == (2, made.comment)

    ended = end_snooze.sync_detailed(made.id, client=client)
    assert ended.status_code is HTTPStatus.NO_CONTENT

    summary = get_summary.sync(client=client)
    assert isinstance(summary, SummaryResponse)
    assert summary.snoozes.additional_properties == {"pending": 0, "active": 1, "ended": 1}


def make_a_mistake(client: AuthenticatedClient) -> None:
    """Sends two wrong fields, and gets both of them named: one call."""
    wrong = CreateSnooze(Reason.OTHER, "a mistake", instance_id="web-01", duration="14d")
    problem = create_snooze.sync(client=client, body=wrong)
    assert isinstance(problem, Problem)
    assert not isinstance(problem.errors, Unset)
    assert [each.pointer for each in problem.errors] == ["/duration", "/instance_id"]


def main(url: str, token: str, instance_id: str) -> None:
    """Makes the calls. A status that the specification does not have is an error."""
    with AuthenticatedClient(url, token=token, raise_on_unexpected_status=True) as client:
        snooze_a_finding(client)
        snooze_an_instance(client, instance_id)
        make_a_mistake(client)


if __name__ == "__main__":
    main(*sys.argv[1:])
