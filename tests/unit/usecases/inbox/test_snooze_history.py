"""The history of a snooze: what people, time and fixes did."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from chalicelib.domain.history import FieldChange
from chalicelib.domain.snooze import Reason
from chalicelib.domain.snooze_rules import SnoozeChange, SnoozeEnd
from chalicelib.usecases.inbox import snoozes
from chalicelib.usecases.inbox.snooze_history import MOST_LINES, compare_snoozes
from tests.fleet import HOUR, MINUTE, START, Service, make_snooze
from tests.unit.usecases.inbox.requests import FIRST, SECOND, make_rule, snooze_pair


def format_time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def test_an_end_by_time_or_by_a_fix_is_in_the_history(service: Service) -> None:
    def list_kinds(snooze_id: str) -> list[tuple[str, str]]:
        lines = snoozes.list_snooze_history(service.inbox, snooze_id)
        return [(line.kind, line.via) for line in lines]

    by_time, _ = snooze_pair(service)
    rule = make_rule(title="B", until_resolved=True)
    by_fix = snoozes.create_snooze(service.inbox, *rule, FIRST)

    service.clock.forward(MINUTE)
    service.report("i-1", "A", run="run-2")
    service.run()
    service.clock.forward(HOUR)
    service.run()

    assert list_kinds(by_fix.id) == [("created", "api"), ("ended", "fix"), ("settled", "scan")]
    assert list_kinds(by_time.id) == [("created", "api"), ("ended", "time"), ("settled", "scan")]


def list_changes(service: Service, snooze_id: str) -> list[tuple[str, Mapping[str, FieldChange]]]:
    lines = snoozes.list_snooze_history(service.inbox, snooze_id)
    return [(line.kind, line.changes) for line in lines]


def test_history_has_each_field_that_a_change_changed_before_and_after(service: Service) -> None:
    snooze, _ = snooze_pair(service)
    service.clock.forward(MINUTE)
    change = SnoozeChange(SnoozeEnd(permanent=True), Reason.ACCEPTED_RISK, "ticket 43")

    snoozes.change_snooze(service.inbox, snooze.id, change, None, SECOND)
    snoozes.change_snooze(service.inbox, snooze.id, SnoozeChange(comment="ticket 44"), None, FIRST)

    assert list_changes(service, snooze.id) == [
        ("created", {}),
        (
            "changed",
            {
                "ends_at": FieldChange(format_time(START + HOUR), None),
                "reason": FieldChange("maintenance", "accepted_risk"),
                "comment": FieldChange("ticket 42", "ticket 43"),
            },
        ),
        ("changed", {"comment": FieldChange("ticket 43", "ticket 44")}),
    ]


def test_history_has_what_a_second_call_for_a_finding_changed(service: Service) -> None:
    snooze, _ = snooze_pair(service)

    snooze_pair(service, SECOND, until_resolved=True)
    service.clock.forward(MINUTE)
    snoozes.end_snooze(service.inbox, snooze.id, None, FIRST)

    ended_at = format_time(service.clock.now)
    assert list_changes(service, snooze.id) == [
        ("created", {}),
        ("changed", {"until_resolved": FieldChange(before=False, after=True)}),
        ("ended", {"ended_at": FieldChange(None, ended_at)}),
    ]


def test_what_a_scan_notes_on_a_snooze_is_no_change_of_a_person() -> None:
    before = make_snooze()
    noted = replace(
        before,
        settled_at=START,
        reworded_ids=("a",),
        is_unannounced=True,
        reminded_of=START,
        version=2,
    )
    unnamed = {"settled_at", "reworded_ids", "is_unannounced", "reminded_of", "version"}

    assert compare_snoozes(before, noted) == {}
    for name in before.__struct_fields__:
        if name not in unnamed:
            other = replace(before, **{name: "another"})
            assert compare_snoozes(before, other).keys() == {name}


def test_a_long_history_shows_its_newest_lines(service: Service) -> None:
    snooze, _ = snooze_pair(service, end=SnoozeEnd(permanent=True))
    for number in range(MOST_LINES + 5):
        snooze_pair(service, end=SnoozeEnd(permanent=True), comment=f"change {number}")

    lines = snoozes.list_snooze_history(service.inbox, snooze.id)

    assert len(lines) == MOST_LINES
    assert lines[-1].comment == f"change {MOST_LINES + 4}"
