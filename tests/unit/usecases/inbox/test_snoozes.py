from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.errors import (
    AlreadySnoozed,
    Conflict,
    NotFound,
    RuleBroken,
    Stale,
)
from chalicelib.domain.finding import Finding, finding_id
from chalicelib.domain.snooze import Reason, Scope, State
from chalicelib.domain.snooze_rules import SnoozeChange, SnoozeEnd, SnoozeTerms
from chalicelib.usecases.context import Author
from chalicelib.usecases.inbox import snoozes
from chalicelib.usecases.inbox.snooze_history import MOST_LINES
from tests.fleet import HOUR, MINUTE, START, Service

FIRST, SECOND = Author("first"), Author("second")
PAIR = finding_id("i-1", "A")


@pytest.fixture
def service() -> Service:
    service = Service()
    service.report("i-1", "A", "B")
    service.report("i-2", "A", severity="LOW")
    service.run()
    return service


def terms(**fields: Any) -> SnoozeTerms:
    usual: dict[str, Any] = {
        "end": SnoozeEnd(at=START + HOUR),
        "reason": Reason.MAINTENANCE,
        "comment": "ticket 42",
    }
    return SnoozeTerms(**{**usual, **fields})


def rule(
    instance_id: str | None = "i-1", title: str | None = "A", **fields: Any
) -> tuple[Scope, SnoozeTerms]:
    return Scope(instance_id, title), terms(**fields)


def put(service: Service, author: Author = FIRST, **fields: Any) -> tuple[Any, bool]:
    return snoozes.snooze_finding(service.inbox, PAIR, terms(**fields), None, author)


def test_snoozing_a_finding_mutes_its_pair_from_now_on(service: Service) -> None:
    snooze, new = put(service)
    assert new
    assert (snooze.instance_id, snooze.title, snooze.created_by) == ("i-1", "A", "first")
    assert snooze.state(service.clock.now) is State.ACTIVE


def test_the_same_call_again_writes_nothing(service: Service) -> None:
    first, _ = put(service)
    service.clock.forward(MINUTE)
    assert put(service, SECOND) == (first, False)
    assert len(snoozes.list_snooze_history(service.inbox, first.id)) == 1


def test_another_call_changes_the_one_snooze_of_the_pair(service: Service) -> None:
    first, _ = put(service)
    service.clock.forward(MINUTE)
    second, new = put(service, SECOND, end=SnoozeEnd(permanent=True))
    assert not new
    assert (second.id, second.version, second.ends_at) == (first.id, 2, None)
    assert second.created_by == "first"
    assert [
        (line.kind, line.by) for line in snoozes.list_snooze_history(service.inbox, first.id)
    ] == [
        ("created", "first"),
        ("changed", "second"),
    ]


def test_after_its_end_a_pair_gets_a_snooze_of_its_own(service: Service) -> None:
    first, _ = put(service)
    service.clock.forward(HOUR)
    second, new = put(service, end=SnoozeEnd(duration=HOUR))
    assert new
    assert second.id != first.id


def test_what_is_not_stored_cannot_be_snoozed_by_its_id(service: Service) -> None:
    with pytest.raises(NotFound):
        snoozes.snooze_finding(service.inbox, "0" * 32, terms(), None, FIRST)
    with pytest.raises(RuleBroken):
        put(service, comment="x")
    assert service.ledger.snoozes == {}


def test_unsnoozing_ends_at_once_and_again_does_nothing(service: Service) -> None:
    snooze, _ = put(service)
    for _ in range(2):
        snoozes.unsnooze_finding(service.inbox, PAIR, None, SECOND)
    assert snoozes.get_snooze(service.inbox, snooze.id).state(service.clock.now) is State.ENDED
    lines = snoozes.list_snooze_history(service.inbox, snooze.id)
    assert [(line.kind, line.by) for line in lines] == [("created", "first"), ("ended", "second")]
    snoozes.unsnooze_finding(service.inbox, "0" * 32, None, SECOND)


def test_an_identical_active_rule_is_named_instead_of_made_again(service: Service) -> None:
    first = snoozes.create_snooze(service.inbox, *rule(instance_id=None), FIRST)
    with pytest.raises(AlreadySnoozed) as raised:
        snoozes.create_snooze(
            service.inbox, *rule(instance_id=None, end=SnoozeEnd(duration=HOUR)), SECOND
        )
    assert raised.value.snooze_id == first.id
    snoozes.create_snooze(service.inbox, *rule(instance_id=None, reason=Reason.OTHER), SECOND)
    service.clock.forward(HOUR)
    snoozes.create_snooze(
        service.inbox, *rule(instance_id=None, end=SnoozeEnd(duration=HOUR)), FIRST
    )


def test_a_rule_can_be_made_before_there_is_a_finding(service: Service) -> None:
    snoozes.create_snooze(service.inbox, *rule("i-9", "Z"), FIRST)
    service.report("i-9", "Z")
    report = service.run()
    assert (report.announcement.announced, report.announcement.muted) == (0, 1)


def test_a_dry_run_counts_and_writes_nothing(service: Service) -> None:
    muted = snoozes.preview_snooze(service.inbox, *rule(instance_id=None))
    assert muted.by_severity == {"HIGH": 1, "LOW": 1}
    assert [each.instance_id for each in muted.sample] == ["i-1", "i-2"]
    assert snoozes.preview_snooze(service.inbox, *rule()).by_severity == {"HIGH": 1}
    assert snoozes.preview_snooze(service.inbox, *rule(title=None)).by_severity == {"HIGH": 2}
    with pytest.raises(RuleBroken):
        snoozes.preview_snooze(service.inbox, *rule(comment=""))
    assert service.ledger.snoozes == {}


def test_a_change_needs_the_version_that_it_was_made_for(service: Service) -> None:
    snooze, _ = put(service)
    wish = SnoozeChange(comment="ticket 43")
    with pytest.raises(Stale, match="its version is 1 now"):
        snoozes.change_snooze(service.inbox, snooze.id, wish, frozenset({7}), SECOND)
    changed = snoozes.change_snooze(service.inbox, snooze.id, wish, frozenset({1}), SECOND)
    assert (changed.comment, changed.version, changed.ends_at) == ("ticket 43", 2, snooze.ends_at)
    assert snoozes.change_snooze(service.inbox, snooze.id, wish, None, SECOND) == changed
    with pytest.raises(Stale):
        snoozes.end_snooze(service.inbox, snooze.id, frozenset({1}), SECOND)
    snoozes.end_snooze(service.inbox, snooze.id, frozenset({2}), SECOND)
    snoozes.end_snooze(service.inbox, snooze.id, None, SECOND)
    with pytest.raises(RuleBroken):
        snoozes.change_snooze(service.inbox, snooze.id, wish, None, SECOND)


def test_what_is_not_there_is_not_found(service: Service) -> None:
    for call in (
        lambda: snoozes.get_snooze(service.inbox, "s-9"),
        lambda: snoozes.list_snooze_history(service.inbox, "s-9"),
        lambda: snoozes.change_snooze(service.inbox, "s-9", SnoozeChange(), None, FIRST),
        lambda: snoozes.end_snooze(service.inbox, "s-9", None, FIRST),
    ):
        with pytest.raises(NotFound, match="s-9"):
            call()


def test_a_list_of_snoozes_has_each_once_newest_first(service: Service) -> None:
    made = []
    for number in range(7):
        service.clock.forward(MINUTE)
        made.append(snoozes.create_snooze(service.inbox, *rule(title=f"T{number}"), FIRST).id)
    found, after = [], None
    while True:
        page = snoozes.list_snoozes(service.inbox, lambda _: True, after, 3)
        found += [each.id for each in page.snoozes]
        after = page.after
        if after is None:
            break
    assert found == made[::-1]
    none = snoozes.list_snoozes(service.inbox, lambda each: each.title == "T9", None, 3)
    assert (none.snoozes, none.after) == ((), None)


def test_a_snooze_that_somebody_else_changes_meanwhile_is_read_again(service: Service) -> None:
    snooze, _ = put(service)

    class Contended:
        lost = False

        def __getattr__(self, name: str) -> object:
            return getattr(service.inbox.snoozes, name)

        def save(self, *written: Any) -> None:
            if not self.lost:
                self.lost = True
                snoozes.change_snooze(
                    service.inbox, snooze.id, SnoozeChange(comment="first"), None, SECOND
                )
            service.inbox.snoozes.save(*written)

    inbox = replace(service.inbox, snoozes=Contended())  # type: ignore[arg-type]
    changed = snoozes.change_snooze(
        inbox, snooze.id, SnoozeChange(reason=Reason.OTHER), None, FIRST
    )
    assert (changed.comment, changed.reason, changed.version) == ("first", Reason.OTHER, 3)


def test_losing_every_time_is_an_error(service: Service) -> None:
    snooze, _ = put(service)

    class Lost:
        def __getattr__(self, name: str) -> object:
            return getattr(service.inbox.snoozes, name)

        def save(self, *_: Any) -> None:
            raise Conflict("somebody else wrote first")

    inbox = replace(service.inbox, snoozes=Lost())  # type: ignore[arg-type]
    with pytest.raises(Conflict):
        snoozes.end_snooze(inbox, snooze.id, None, FIRST)


def test_the_history_names_what_time_and_fixes_did(service: Service) -> None:
    by_time, _ = put(service)
    by_fix = snoozes.create_snooze(service.inbox, *rule(title="B", until_resolved=True), FIRST)
    service.clock.forward(MINUTE)
    service.report("i-1", "A", run="run-2")
    service.run()
    service.clock.forward(HOUR)
    service.run()

    def history(snooze_id: str) -> list[tuple[str, str]]:
        lines = snoozes.list_snooze_history(service.inbox, snooze_id)
        return [(line.kind, line.via) for line in lines]

    assert history(by_fix.id) == [("created", "api"), ("ended", "fix"), ("settled", "scan")]
    assert history(by_time.id) == [("created", "api"), ("ended", "time"), ("settled", "scan")]


def test_the_findings_themselves_are_never_touched(service: Service) -> None:
    before: list[Finding] = sorted(service.findings.all(), key=lambda each: each.finding_id)
    put(service)
    snoozes.unsnooze_finding(service.inbox, PAIR, None, SECOND)
    assert sorted(service.findings.all(), key=lambda each: each.finding_id) == before
    service.clock.forward(timedelta(days=1))
    service.run()
    assert service.messages[-1] == "new: A"


def test_the_end_that_a_put_answers_is_the_one_that_holds(service: Service) -> None:
    put(service, end=SnoozeEnd(permanent=True))
    service.clock.forward(MINUTE)
    snoozes.create_snooze(service.inbox, *rule(comment="another"), FIRST)
    service.clock.forward(MINUTE)
    put(service, end=SnoozeEnd(duration=MINUTE))
    service.clock.forward(2 * MINUTE)
    states = {each.state(service.clock.now) for each in service.inbox.snoozes.all()}
    assert states == {State.ENDED}


def test_a_put_and_a_delete_need_the_version_that_they_were_made_for(service: Service) -> None:
    def put_for(version: int) -> Any:
        versions = frozenset({version})
        return snoozes.snooze_finding(
            service.inbox, PAIR, terms(comment=f"for {version}"), versions, FIRST
        )

    with pytest.raises(Stale, match="there is none"):
        put_for(1)
    put(service)
    assert put_for(1)[0].version == 2
    with pytest.raises(Stale):
        put_for(1)
    with pytest.raises(Stale):
        snoozes.unsnooze_finding(service.inbox, PAIR, frozenset({1}), FIRST)
    snoozes.unsnooze_finding(service.inbox, PAIR, frozenset({2}), FIRST)
    snoozes.unsnooze_finding(service.inbox, PAIR, frozenset({2}), FIRST)


@pytest.mark.parametrize("way", ["put", "post"])
def test_of_two_that_decide_by_the_same_state_only_one_makes_a_snooze(
    service: Service, way: str
) -> None:
    class Overtaken:
        """Somebody else asks for the same between reading and writing."""

        overtaken = False

        def __getattr__(self, name: str) -> object:
            return getattr(service.inbox.snoozes, name)

        def add(self, *written: Any) -> None:
            if not self.overtaken:
                self.overtaken = True
                put(service, SECOND) if way == "put" else snoozes.create_snooze(
                    service.inbox, *rule(), SECOND
                )
            service.inbox.snoozes.add(*written)

    inbox = replace(service.inbox, snoozes=Overtaken())  # type: ignore[arg-type]
    if way == "put":
        _, new = snoozes.snooze_finding(inbox, PAIR, terms(), None, FIRST)
        assert not new
    else:
        with pytest.raises(AlreadySnoozed):
            snoozes.create_snooze(inbox, *rule(), FIRST)
    (only,) = service.inbox.snoozes.all()
    assert only.created_by == "second"


def test_a_very_long_history_shows_its_newest_lines(service: Service) -> None:
    snooze, _ = put(service, end=SnoozeEnd(permanent=True))
    for number in range(MOST_LINES + 5):
        put(service, end=SnoozeEnd(permanent=True), comment=f"change {number}")
    lines = snoozes.list_snooze_history(service.inbox, snooze.id)
    assert len(lines) == MOST_LINES
    assert lines[-1].comment == f"change {MOST_LINES + 4}"
