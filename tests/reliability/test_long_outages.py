"""What lasts for many passes: a throttle that never ends, a dead Slack, a table from a backup."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.domain.compliance import Item
from chalicelib.domain.errors import DeliveryError
from chalicelib.usecases.context import Options
from chalicelib.usecases.run import run_scans
from tests.fakes import MemoryCompliance
from tests.fleet import MINUTE, FakeClock, Service
from tests.reliability.crashing import CrashPoint, Fuse, Moment, wired
from tests.reliability.model import announced_in
from tests.reliability.stories import LAMBDA, interrupted

NODES = [f"i-{number:02}" for number in range(1, 21)]
DOWN = DeliveryError("service_unavailable", retryable=True)


@dataclass
class SlowCompliance(MemoryCompliance):
    """SSM, throttling so hard that one node takes minutes."""

    clock: FakeClock
    each: timedelta

    def __post_init__(self) -> None:
        super().__init__()

    def items(self, instance_id: str, types: Sequence[str]) -> tuple[Item, ...]:
        self.clock.forward(self.each)
        return super().items(instance_id, types)


def test_a_throttle_that_never_ends_is_read_through_in_parts() -> None:
    clock = FakeClock()
    service = Service(clock, compliance=SlowCompliance(clock, 2 * MINUTE))
    for node in NODES:
        service.report(node, f"{node}/A")
    service.enqueue(nodes={"Success": len(NODES)})
    left = []
    while service.context.work.open().jobs:
        began = clock.now
        (made,) = run_scans(wired(service.context, Fuse()), began + LAMBDA)
        assert clock.now < began + LAMBDA
        assert made.outcome is not None
        left.append(made.outcome.coverage.deferred)
        clock.forward(MINUTE)
    assert left == [13, 6, 0]
    assert not any("nothing new" in text for text in service.messages)
    assert announced_in(service.messages) == {f"{node}/A": 1 for node in NODES}


def test_what_several_passes_that_died_have_opened_is_one_message() -> None:
    service = Service()
    service.report(NODES[0], f"{NODES[0]}/A")
    calls = interrupted(service, Fuse())
    said = len(service.messages)
    for node in NODES[1:4]:
        service.report(node, f"{node}/A")
        service.clock.forward(LAMBDA + MINUTE)
        stage = calls.index("work.stage") + 1
        interrupted(service, Fuse(CrashPoint(stage, Moment.BEFORE)))
    assert len(service.ledger.unannounced_scans) == 3
    assert len(service.messages) == said
    service.clock.forward(LAMBDA + MINUTE)
    service.run()
    (alert,) = service.messages[said:]
    assert announced_in([alert]) == {f"{node}/A": 1 for node in NODES[1:4]}


def test_a_slack_that_is_dead_for_a_week_blocks_nothing_and_hears_everything_once() -> None:
    service = Service()
    service.channel.fail_post(DOWN, times=7)
    for day in range(7):
        service.report("i-1", *(f"i-1/{letter}" for letter in "ABCDEFG"[: day + 1]), run=f"r-{day}")
        service.run()
        assert len(service.list_titles()) == day + 1
        service.clock.forward(timedelta(days=1))
    assert service.messages == []
    service.run()
    assert announced_in(service.messages) == {f"i-1/{letter}": 1 for letter in "ABCDEFG"}
    assert len(service.channel.attachments) == 7


def test_a_findings_table_from_a_backup_is_made_whole_by_a_full_pass() -> None:
    service = Service()
    service.report("i-1", "i-1/old", "i-1/stays")
    service.report("i-2", "i-2/stays")
    service.run()
    backup = list(service.findings.all())
    service.report("i-1", "i-1/stays", "i-1/new", run="run-2")
    service.run()
    service.findings.delete([each.finding_id for each in service.findings.all()])
    service.findings.put(backup)
    service.run()
    assert "i-1/old" in service.list_titles()
    service.run(Options(full=True))
    assert service.list_titles() == ["i-1/new", "i-1/stays", "i-2/stays"]
    assert announced_in(service.messages)["i-1/stays"] == 1
    assert announced_in(service.messages)["i-1/new"] == 2
