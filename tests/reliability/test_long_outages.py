"""What lasts for many scans: a throttle without end, a Slack that is down, an old table."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.compliance import ItemList
from chalicelib.domain.errors import DeliveryError
from chalicelib.usecases.context import Options
from chalicelib.usecases.run import run_scans
from tests.fakes import MemoryCompliance
from tests.fleet import DAY, MINUTE, FakeClock, Service
from tests.reliability.crashing import CrashPoint, Fuse, Moment, add_fuse
from tests.reliability.model import count_titles
from tests.reliability.stories import LAMBDA, run_until_crash

NODES = [f"i-{number:02}" for number in range(1, 21)]
DOWN = DeliveryError("service_unavailable", retryable=True)


@dataclass
class SlowCompliance(MemoryCompliance):
    """SSM that throttles so hard that reading a node takes minutes."""

    clock: FakeClock
    minutes: int

    def __post_init__(self) -> None:
        super().__init__()

    def items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Returns the items after a while."""
        self.clock.forward(self.minutes * MINUTE)
        return super().items(instance_id, types)


def test_a_fleet_that_ssm_throttles_without_end_is_read_in_parts() -> None:
    clock = FakeClock()
    service = Service(clock, compliance=SlowCompliance(clock, minutes=2))
    for node in NODES:
        service.report(node, f"{node}/A")
    service.enqueue(nodes={"Success": len(NODES)})

    deferred = []
    while service.list_jobs():
        began = clock.now
        (report,) = run_scans(add_fuse(service.context, Fuse()), began + LAMBDA)
        assert clock.now < began + LAMBDA
        assert report.outcome is not None
        deferred.append(report.outcome.coverage.deferred)
        clock.forward(MINUTE)

    assert deferred == [13, 6, 0]
    assert not any("nothing new" in text for text in service.messages)
    assert count_titles(service.messages) == {f"{node}/A": 1 for node in NODES}


def test_new_findings_of_several_scans_that_died_are_one_message() -> None:
    service = Service()
    service.report(NODES[0], f"{NODES[0]}/A")
    calls = run_until_crash(service, Fuse())
    posts = len(service.messages)

    for node in NODES[1:4]:
        service.report(node, f"{node}/A")
        service.clock.forward(LAMBDA + MINUTE)
        stage = calls.index("work.stage") + 1
        run_until_crash(service, Fuse(CrashPoint(stage, Moment.BEFORE)))

    assert service.ledger.last_fact.number - service.ledger.channel_state.facts.number == 3
    assert len(service.messages) == posts

    service.clock.forward(LAMBDA + MINUTE)
    service.run()

    (alert,) = service.messages[posts:]
    assert count_titles([alert]) == {f"{node}/A": 1 for node in NODES[1:4]}


def test_a_slack_that_is_down_for_a_week_blocks_nothing_and_gets_every_alert_once() -> None:
    service = Service()
    service.channel.fail_post(DOWN, times=7)

    for day in range(7):
        service.report("i-1", *(f"i-1/{letter}" for letter in "ABCDEFG"[: day + 1]), run=f"r-{day}")
        service.run()
        assert len(service.list_titles()) == day + 1
        service.clock.forward(DAY)

    assert service.messages == []

    service.run()

    assert count_titles(service.messages) == {f"i-1/{letter}": 1 for letter in "ABCDEFG"}
    assert len(service.channel.attachments) == 7


def test_a_full_scan_completes_a_findings_table_from_a_backup() -> None:
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
    assert count_titles(service.messages)["i-1/stays"] == 1
    assert count_titles(service.messages)["i-1/new"] == 1
