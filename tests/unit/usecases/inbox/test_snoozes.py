"""People snooze a finding, or make, change, end and list rules."""

import pytest

from chalicelib.domain.errors import AlreadySnoozed, NotFound, RuleBroken
from chalicelib.domain.finding import Finding
from chalicelib.domain.snooze import Reason, State
from chalicelib.domain.snooze_rules import SnoozeChange, SnoozeEnd, SnoozeLimits
from chalicelib.usecases.inbox import snoozes
from chalicelib.usecases.inbox.snoozes import SnoozeFilter
from tests.fleet import DAY, HOUR, MINUTE, START, Service
from tests.unit.usecases.inbox.requests import (
    FIRST,
    PAIR,
    SECOND,
    make_rule,
    make_terms,
    snooze_pair,
)


def test_snoozing_a_finding_mutes_its_pair_from_now_on(service: Service) -> None:
    snooze, is_new = snooze_pair(service)

    assert is_new
    assert (snooze.instance_id, snooze.title, snooze.created_by) == ("i-1", "A", "first")
    assert snooze.state(service.clock.now) is State.ACTIVE


def test_the_same_call_again_writes_nothing(service: Service) -> None:
    first, _ = snooze_pair(service)
    service.clock.forward(MINUTE)

    assert snooze_pair(service, SECOND) == (first, False)
    assert len(snoozes.list_snooze_history(service.inbox, first.id)) == 1


def test_another_call_changes_the_snooze_of_the_pair(service: Service) -> None:
    first, _ = snooze_pair(service)
    service.clock.forward(MINUTE)

    second, is_new = snooze_pair(service, SECOND, end=SnoozeEnd(permanent=True))

    assert not is_new
    assert (second.id, second.version, second.ends_at) == (first.id, 2, None)
    assert second.created_by == "first"
    lines = snoozes.list_snooze_history(service.inbox, first.id)
    assert [(line.kind, line.by) for line in lines] == [("created", "first"), ("changed", "second")]


def test_a_pair_whose_snooze_has_ended_gets_a_new_one(service: Service) -> None:
    first, _ = snooze_pair(service)
    service.clock.forward(HOUR)

    second, is_new = snooze_pair(service, end=SnoozeEnd(duration=HOUR))

    assert is_new
    assert second.id != first.id


def test_the_last_call_decides_when_every_snooze_of_the_pair_ends(service: Service) -> None:
    snooze_pair(service, end=SnoozeEnd(permanent=True))
    service.clock.forward(MINUTE)
    snoozes.create_snooze(service.inbox, *make_rule(comment="another"), FIRST)
    service.clock.forward(MINUTE)

    snooze_pair(service, end=SnoozeEnd(duration=MINUTE))
    service.clock.forward(2 * MINUTE)

    states = {each.state(service.clock.now) for each in service.inbox.snoozes.all()}
    assert states == {State.ENDED}


def test_a_finding_that_is_not_stored_cannot_be_snoozed(service: Service) -> None:
    with pytest.raises(NotFound):
        snoozes.snooze_finding(service.inbox, "0" * 32, make_terms(), None, FIRST)

    assert service.ledger.snoozes == {}


def test_where_permanent_snoozes_are_turned_off_no_way_leads_to_one(service: Service) -> None:
    snooze, _ = snooze_pair(service)
    service.limits = SnoozeLimits(DAY, allow_permanent=False)
    end = SnoozeEnd(permanent=True)
    inbox = service.inbox

    for attempt in (
        lambda: snooze_pair(service, end=end),
        lambda: snoozes.create_snooze(inbox, *make_rule(end=end), FIRST),
        lambda: snoozes.preview_snooze(inbox, *make_rule(end=end)),
        lambda: snoozes.change_snooze(inbox, snooze.id, SnoozeChange(end), None, FIRST),
    ):
        with pytest.raises(RuleBroken) as refused:
            attempt()
        assert [fault.pointer for fault in refused.value.faults] == ["/permanent"]

    assert inbox.snoozes.all() == (snooze,)


def test_terms_that_break_a_rule_snooze_nothing(service: Service) -> None:
    with pytest.raises(RuleBroken):
        snooze_pair(service, comment="x")

    assert service.ledger.snoozes == {}


def test_unsnoozing_ends_the_snooze_at_once_and_can_be_repeated(service: Service) -> None:
    snooze, _ = snooze_pair(service)

    for _ in range(2):
        snoozes.unsnooze_finding(service.inbox, PAIR, None, SECOND)
    snoozes.unsnooze_finding(service.inbox, "0" * 32, None, SECOND)

    assert snoozes.get_snooze(service.inbox, snooze.id).state(service.clock.now) is State.ENDED
    lines = snoozes.list_snooze_history(service.inbox, snooze.id)
    assert [(line.kind, line.by) for line in lines] == [("created", "first"), ("ended", "second")]


def test_snoozes_never_change_findings(service: Service) -> None:
    def list_findings() -> list[Finding]:
        return sorted(service.findings.all(), key=lambda each: each.finding_id)

    before = list_findings()

    snooze_pair(service)
    snoozes.unsnooze_finding(service.inbox, PAIR, None, SECOND)

    assert list_findings() == before

    service.clock.forward(DAY)
    service.run()

    assert service.messages[-1] == "new: A"


def test_a_rule_that_is_active_already_is_refused_and_named(service: Service) -> None:
    hour = SnoozeEnd(duration=HOUR)
    first = snoozes.create_snooze(service.inbox, *make_rule(instance_id=None), FIRST)

    with pytest.raises(AlreadySnoozed) as raised:
        snoozes.create_snooze(service.inbox, *make_rule(instance_id=None, end=hour), SECOND)

    assert raised.value.snooze_id == first.id


def test_the_same_rule_is_allowed_for_another_reason_or_after_its_end(service: Service) -> None:
    first = snoozes.create_snooze(service.inbox, *make_rule(instance_id=None), FIRST)

    other = snoozes.create_snooze(
        service.inbox, *make_rule(instance_id=None, reason=Reason.OTHER), SECOND
    )
    service.clock.forward(HOUR)
    again = snoozes.create_snooze(
        service.inbox, *make_rule(instance_id=None, end=SnoozeEnd(duration=HOUR)), FIRST
    )

    assert len({first.id, other.id, again.id}) == 3


def test_a_rule_can_be_made_before_its_finding_appears(service: Service) -> None:
    snoozes.create_snooze(service.inbox, *make_rule("i-9", "Z"), FIRST)
    service.report("i-9", "Z")

    report = service.run()

    assert (report.announcement.announced, report.announcement.muted) == (0, 1)


def test_a_preview_counts_findings_and_writes_nothing(service: Service) -> None:
    preview = snoozes.preview_snooze(service.inbox, *make_rule(instance_id=None))

    assert preview.matches.by_severity == {"HIGH": 1, "LOW": 1}
    assert [each.finding.instance_id for each in preview.sample] == ["i-1", "i-2"]
    assert [each.checked_at for each in preview.sample] == [START, START]
    assert snoozes.preview_snooze(service.inbox, *make_rule()).matches.by_severity == {"HIGH": 1}
    assert snoozes.preview_snooze(service.inbox, *make_rule(title=None)).matches.by_severity == {
        "HIGH": 2
    }
    assert service.ledger.snoozes == {}


def test_a_preview_refuses_what_a_snooze_refuses(service: Service) -> None:
    with pytest.raises(RuleBroken):
        snoozes.preview_snooze(service.inbox, *make_rule(comment=""))


def test_an_unknown_snooze_is_not_found(service: Service) -> None:
    for call in (
        lambda: snoozes.get_snooze(service.inbox, "s-9"),
        lambda: snoozes.list_snooze_history(service.inbox, "s-9"),
        lambda: snoozes.change_snooze(service.inbox, "s-9", SnoozeChange(), None, FIRST),
        lambda: snoozes.end_snooze(service.inbox, "s-9", None, FIRST),
    ):
        with pytest.raises(NotFound, match="s-9"):
            call()


def test_snoozes_are_listed_once_each_newest_first(service: Service) -> None:
    created = []
    for number in range(7):
        service.clock.forward(MINUTE)
        rule = make_rule(title=f"T{number}")
        created.append(snoozes.create_snooze(service.inbox, *rule, FIRST).id)

    listed: list[str] = []
    after = None
    while True:
        page = snoozes.list_snoozes(service.inbox, SnoozeFilter(), after, 3)
        listed += [each.id for each in page.snoozes]
        after = page.after
        if after is None:
            break

    assert listed == created[::-1]


def test_a_filter_that_no_snooze_matches_gives_an_empty_page(service: Service) -> None:
    snooze_pair(service)

    page = snoozes.list_snoozes(service.inbox, SnoozeFilter(title="T9"), None, 3)

    assert (page.snoozes, page.after) == ((), None)
