"""The history of a snooze: what people, time and fixes did."""

from chalicelib.domain.snooze_rules import SnoozeEnd
from chalicelib.usecases.inbox import snoozes
from chalicelib.usecases.inbox.snooze_history import MOST_LINES
from tests.fleet import HOUR, MINUTE, Service
from tests.unit.usecases.inbox.requests import FIRST, make_rule, snooze_pair


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


def test_a_long_history_shows_its_newest_lines(service: Service) -> None:
    snooze, _ = snooze_pair(service, end=SnoozeEnd(permanent=True))
    for number in range(MOST_LINES + 5):
        snooze_pair(service, end=SnoozeEnd(permanent=True), comment=f"change {number}")

    lines = snoozes.list_snooze_history(service.inbox, snooze.id)

    assert len(lines) == MOST_LINES
    assert lines[-1].comment == f"change {MOST_LINES + 4}"
