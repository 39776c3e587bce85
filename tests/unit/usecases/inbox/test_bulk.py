"""Many findings in one call: each has a result, and bad input writes nothing."""

from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import RuleBroken
from chalicelib.domain.finding import finding_id
from chalicelib.domain.snooze import State
from chalicelib.domain.snooze_rules import SnoozeEnd
from chalicelib.usecases.inbox.bulk import Result, snooze_findings, unsnooze_findings
from tests.fakes.pass_through import PassThrough
from tests.fleet import DAY, MINUTE, Service
from tests.unit.usecases.inbox.requests import FIRST, PAIR, make_terms

OTHER = finding_id("i-1", "B")
UNKNOWN = "0" * 32


def list_states(service: Service) -> list[State]:
    return [each.state(service.clock.now) for each in service.ledger.snoozes.values()]


def test_each_finding_is_snoozed_and_a_second_call_writes_nothing(service: Service) -> None:
    first = snooze_findings(service.inbox, [PAIR, OTHER], make_terms(), FIRST)
    before = dict(service.ledger.snoozes)
    service.clock.forward(MINUTE)

    second = snooze_findings(service.inbox, [PAIR, OTHER], make_terms(), FIRST)

    assert [each.finding_id for each in first] == [PAIR, OTHER]
    assert {each.result for each in first} == {Result.CREATED}
    assert {each.result for each in second} == {Result.KEPT}
    assert [each.snooze_id for each in second] == [each.snooze_id for each in first]
    assert service.ledger.snoozes == before


def test_snoozes_of_many_findings_end_and_a_second_call_writes_nothing(service: Service) -> None:
    snooze_findings(service.inbox, [PAIR, OTHER], make_terms(), FIRST)
    service.clock.forward(MINUTE)

    results = unsnooze_findings(service.inbox, [PAIR, OTHER], FIRST)
    before = dict(service.ledger.snoozes)
    again = unsnooze_findings(service.inbox, [PAIR, OTHER], FIRST)

    assert {each.result for each in results} == {Result.ENDED}
    assert {each.result for each in again} == {Result.NOT_SNOOZED}
    assert list_states(service) == [State.ENDED, State.ENDED]
    assert service.ledger.snoozes == before


@pytest.mark.parametrize(
    ("ids", "faults"),
    [
        ([PAIR, UNKNOWN], [("/finding_ids/1", "unknown")]),
        ([PAIR, OTHER, PAIR], [("/finding_ids/2", "repeated")]),
        (
            [UNKNOWN, UNKNOWN],
            [
                ("/finding_ids/1", "repeated"),
                ("/finding_ids/0", "unknown"),
                ("/finding_ids/1", "unknown"),
            ],
        ),
    ],
)
def test_a_wrong_id_refuses_the_whole_call(
    service: Service, ids: list[str], faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(RuleBroken) as refused:
        snooze_findings(service.inbox, ids, make_terms(), FIRST)

    assert [(each.pointer, each.code) for each in refused.value.faults] == faults
    assert service.ledger.snoozes == {}


@pytest.mark.parametrize("terms", [{"comment": ""}, {"end": SnoozeEnd(duration=500 * DAY)}])
def test_wrong_terms_refuse_the_whole_call(service: Service, terms: dict[str, Any]) -> None:
    with pytest.raises(RuleBroken):
        snooze_findings(service.inbox, [PAIR, OTHER], make_terms(**terms), FIRST)

    assert service.ledger.snoozes == {}


def test_a_repeated_id_ends_nothing(service: Service) -> None:
    snooze_findings(service.inbox, [PAIR], make_terms(), FIRST)
    with pytest.raises(RuleBroken):
        unsnooze_findings(service.inbox, [PAIR, PAIR], FIRST)

    assert list_states(service) == [State.ACTIVE]


def test_a_finding_that_is_fixed_meanwhile_is_not_found(service: Service) -> None:
    class FixedAfterTheFirstRead(PassThrough):
        """The finding is there when the call is checked, and not when it is snoozed."""

        reads = 0

        def get(self, ids: Any) -> Any:
            self.reads += 1
            found = self.port.get(ids)
            is_first = self.reads == 1
            return {key: each for key, each in found.items() if is_first or key != PAIR}

    inbox: Any = replace(service.inbox, findings=FixedAfterTheFirstRead(service.findings))

    results = snooze_findings(inbox, [PAIR, OTHER], make_terms(), FIRST)

    assert [each.result for each in results] == [Result.NOT_FOUND, Result.CREATED]
    assert len(service.ledger.snoozes) == 1
