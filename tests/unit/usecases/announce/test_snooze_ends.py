"""A snooze mutes its findings. What still fails is announced when the snooze has ended."""

from typing import Any

from msgspec.structs import replace

from chalicelib.domain.finding import Finding
from chalicelib.usecases.context import Bounds
from chalicelib.usecases.ports import MAX_SETTLED_SNOOZES
from tests.fakes import MemoryFindings, PassThrough
from tests.fleet import DAY, START, Service
from tests.unit.usecases.broken_ports import UnreadableSnoozes


def test_a_snoozed_finding_is_stored_and_not_announced(service: Service) -> None:
    service.add_snooze(title="A")
    service.report("i-1", "A", "B")

    report = service.run()

    assert service.list_titles() == ["A", "B"]
    assert service.messages == ["new: B"]
    assert report.announcement.muted == 1


def test_a_finding_that_still_fails_is_announced_once_when_its_snooze_ends(
    service: Service,
) -> None:
    snooze = service.add_snooze(title="A")
    service.report("i-1", "A")
    service.run()

    assert service.messages == []

    service.clock.now = START + DAY
    service.run()
    service.run()

    assert service.messages == ["new: A"]
    assert service.ledger.snoozes[snooze.id].settled_at == service.clock.now


def test_a_finding_is_announced_when_the_last_of_its_snoozes_ends(service: Service) -> None:
    service.add_snooze(title="A")
    service.add_snooze(id="s-2", title=None, ends_at=START + 2 * DAY)
    service.report("i-1", "A")
    service.run()

    service.clock.now = START + DAY
    service.run()

    assert service.messages == []

    service.clock.now = START + 2 * DAY
    service.run()
    service.run()

    assert service.messages == ["new: A"]


def test_the_end_of_a_title_snooze_announces_the_finding_of_every_node(service: Service) -> None:
    service.add_snooze(title="A", instance_id=None)
    service.report("i-1", "A")
    service.report("i-2", "A")
    service.run()

    service.clock.now = START + DAY
    service.run()

    assert service.messages == ["new: A,A"]


def test_the_end_of_a_title_snooze_announces_a_finding_that_the_index_lacks(
    service: Service,
) -> None:
    class LaggingIndexes(MemoryFindings):
        """A findings table whose indexes show nothing yet."""

        def of_node(self, instance_id: str) -> tuple[Finding, ...]:  # noqa: ARG002 - same signature
            return ()

        def page(self, *_: object) -> tuple[Finding, ...]:
            return ()

    service.findings = LaggingIndexes()
    service.add_snooze(title="A", instance_id=None)
    service.report("i-1", "A")
    service.run()

    service.clock.now = START + DAY
    service.run()

    assert service.messages == ["new: A"]


def test_a_fix_ends_an_until_resolved_snooze_and_no_other(service: Service) -> None:
    service.add_snooze(title="A", until_resolved=True)
    service.add_snooze(id="s-2", title="B")
    service.report("i-1", "A", "B")
    service.run()

    service.report("i-1", run="run-2")
    service.run()
    service.report("i-1", "A", "B", run="run-3")
    service.run()

    assert service.messages == ["new: A"]


def test_if_snoozes_cannot_be_read_everything_is_announced_and_nothing_is_removed(
    service: Service,
) -> None:
    service.add_snooze(title="A", until_resolved=True)
    service.report("i-1", "A")
    service.run()
    service.report("i-1", "B", run="run-2")

    service.run(snoozes=UnreadableSnoozes())

    assert service.list_titles() == ["A", "B"]
    assert service.messages == ["new: B"]

    service.run()

    assert service.list_titles() == ["B"]


def test_a_decision_is_repeated_if_a_snooze_changes_meanwhile(service: Service) -> None:
    class ExtendsSnooze(PassThrough):
        """Somebody extends the snooze after it was read and before the decision is written."""

        extended = False

        def stage(self, *decision: Any) -> None:
            if not self.extended:
                self.extended = True
                now = service.ledger.snoozes[snooze.id]
                longer = replace(now, ends_at=START + 2 * DAY, version=now.version + 1)
                service.ledger.snoozes[snooze.id] = longer
            self.port.stage(*decision)

    snooze = service.add_snooze(title="A")
    service.report("i-1", "A")
    service.run()

    service.clock.now = START + DAY
    report = service.run(work=ExtendsSnooze(service.context.work))

    assert report.failure is None
    assert service.messages == []

    service.clock.now = START + 2 * DAY
    service.run()

    assert service.messages == ["new: A"]


def test_more_snoozes_than_one_decision_settles_are_announced_in_several_messages(
    service: Service,
) -> None:
    titles = [f"T{number:02}" for number in range(MAX_SETTLED_SNOOZES + 10)]
    for title in titles:
        service.add_snooze(id=title, title=title)
    service.report("i-1", *titles)
    service.run()

    service.clock.now = START + DAY
    announced = [service.run().announcement.announced for _ in range(3)]

    assert announced == [MAX_SETTLED_SNOOZES, 10, 0]
    assert all(each.settled_at for each in service.ledger.snoozes.values())


def test_findings_under_more_snoozes_than_one_decision_settles_are_announced_once(
    service: Service,
) -> None:
    for number in range(MAX_SETTLED_SNOOZES + 1):
        service.add_snooze(id=f"s-{number:02}", title=None)
    service.report("i-1", *(f"T{number:02}" for number in range(50)))
    service.run()

    service.clock.now = START + DAY
    announced = [service.run().announcement.announced for _ in range(3)]

    assert announced == [0, 50, 0]


def test_of_many_ended_snoozes_those_of_new_findings_are_settled_first() -> None:
    service = Service(bounds=Bounds(settled_snoozes=1))
    for node in ("i-1", "i-2"):
        service.add_snooze(id=f"s-{node}", instance_id=node, title=None)
        service.report(node, "A")
    service.run()

    service.clock.now = START + DAY
    service.report("i-2", "A", "B", run="run-2")
    service.run()

    assert service.messages == ["new: B,A"]

    service.run()

    assert service.messages[1:] == ["new: A"]


def test_a_finding_is_announced_with_the_last_of_its_snoozes_that_ended(service: Service) -> None:
    service.add_snooze(id="s-2", title="A", created_by="first")
    service.add_snooze(id="s-1", title=None, ends_at=START + 2 * DAY, created_by="last")
    service.report("i-1", "A")
    service.run()

    service.clock.now = START + 2 * DAY
    service.run()

    (message,) = service.ledger.sent.values()
    assert message.alert is not None
    assert [each.created_by for each in message.alert.snoozes] == ["last"]
