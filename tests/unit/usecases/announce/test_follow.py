"""Outputs that follow the facts: each at its own pace, with one receipt."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.finding import finding_id
from chalicelib.domain.history import NO_FACTS, Receipt
from chalicelib.usecases.announce.deliver import Cause
from chalicelib.usecases.context import Bounds, Options
from tests.fakes import PassThrough
from tests.fleet import DAY, HOUR, MINUTE, Service
from tests.webhook import Receiver, WebhookFacts

OUTPUT = "webhook-facts"


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def service(receiver: Receiver) -> Service:
    """A service whose third output has begun with two open findings."""
    service = Service(webhook=receiver, bounds=Bounds(facts_a_row=1))
    service.report("i-1", "A", "B")
    service.run()
    return service


def ids(*titles: str) -> set[str]:
    return {finding_id("i-1", title) for title in titles}


def test_an_output_begins_with_all_open_findings(service: Service, receiver: Receiver) -> None:
    assert (receiver.open, receiver.starts, receiver.last) == (ids("A", "B"), 1, 0)
    assert service.ledger.receipts[OUTPUT] == service.ledger.last_fact


def test_every_later_fact_is_sent_once_with_its_title(service: Service, receiver: Receiver) -> None:
    service.clock.forward(HOUR)
    service.report("i-1", "B", "C", run="run-2")
    service.run()
    bodies = len(receiver.bodies)
    service.run()

    assert receiver.open == ids("B", "C")
    assert set(receiver.titles.values()) == {"A", "C"}
    assert (receiver.last, receiver.starts) == (4, 1)
    assert len(receiver.bodies) == bodies


def test_an_output_that_is_down_delays_only_itself(service: Service, receiver: Receiver) -> None:
    service.clock.forward(HOUR)
    service.report("i-1", "A", "B", "C", run="run-2")
    context = replace(service.context, outputs=service.outputs[:2])
    receiver.fail()

    report = service.run(outputs=context.outputs)

    assert [each.step for each in report.undelivered] == [f"{OUTPUT}.facts"]
    assert service.messages[-1] == "new: C"
    service.clock.forward(MINUTE)
    service.run()
    assert receiver.open == ids("A", "B", "C")


def test_a_receipt_that_cannot_be_written_is_no_trouble_of_the_output(
    service: Service, receiver: Receiver
) -> None:
    class LosesReceipts(PassThrough):
        def save_receipt(self, output: str, receipt: Receipt) -> None:
            raise Unavailable(f"{output} {receipt}")

    service.clock.forward(HOUR)
    service.report("i-1", "A", "B", "C", run="run-2")

    report = service.run(work=LosesReceipts(service.context.work))

    assert [each.cause for each in report.undelivered] == [Cause.RECORD]
    assert service.ledger.outputs == {}
    service.run()
    assert receiver.open == ids("A", "B", "C")
    assert service.ledger.receipts[OUTPUT] == service.ledger.last_fact


def test_what_was_sent_before_a_failure_is_not_sent_again(
    service: Service, receiver: Receiver
) -> None:
    class FailsAfterOne(WebhookFacts, frozen=True):
        def send(self, facts: object) -> None:
            if self.receiver.address == "used":
                receiver.fail()
            receiver.address = "used"
            super().send(facts)  # type: ignore[arg-type] # passed on

    service.clock.forward(HOUR)
    service.report("i-1", "A", "B", "C", "D", run="run-2")
    service.run(fact_outputs=(FailsAfterOne(receiver),), outputs=())
    assert service.ledger.receipts[OUTPUT].number == 3

    service.clock.forward(MINUTE)
    service.run()

    assert receiver.open == ids("A", "B", "C", "D")


def test_an_output_that_has_missed_facts_is_named_and_begins_anew_with_full(
    service: Service, receiver: Receiver
) -> None:
    service.clock.forward(HOUR)
    service.report("i-1", "B", "C", run="run-2")
    service.run(fact_outputs=())
    del service.ledger.facts[3]

    report = service.run()

    (failed,) = report.undelivered
    assert str(failed.error).startswith(
        "facts_lost: the facts from 3 to 3 are not stored any more; run reconcile with full"
    )
    assert receiver.open == ids("A", "B")
    repaired = service.run(Options(full=True))
    assert (receiver.open, receiver.starts) == (ids("B", "C"), 2)
    assert repaired.undelivered == ()
    assert [str(each.refusal)[:10] for each in repaired.refused] == ["facts_lost"]
    assert service.run().undelivered == ()


@pytest.mark.parametrize("last", [3, 4])
def test_the_last_facts_may_be_missing_too(service: Service, receiver: Receiver, last: int) -> None:
    service.clock.forward(HOUR)
    service.report("i-1", "B", "C", run="run-2")
    service.run(fact_outputs=())
    for number in range(last, 5):
        del service.ledger.facts[number]

    report = service.run()

    assert f"from {last} to 4 are" in str(report.undelivered[0].error)
    assert receiver.starts == 1


def test_an_output_that_is_ahead_of_the_facts_is_named(service: Service) -> None:
    ahead = Receipt(99, "2026-11-23", "scan")
    service.ledger.receipts[OUTPUT] = ahead

    report = service.run()

    assert "from 100 on are not stored" in str(report.undelivered[0].error)
    service.run(Options(full=True))
    assert service.ledger.receipts[OUTPUT] == service.ledger.last_fact


def test_nothing_is_sent_when_the_time_is_up(service: Service, receiver: Receiver) -> None:
    service.clock.forward(DAY)
    service.report("i-1", "A", "B", "C", "D", run="run-2")

    class TakesLong(WebhookFacts, frozen=True):
        def send(self, facts: object) -> None:
            super().send(facts)  # type: ignore[arg-type] # passed on
            service.clock.forward(14.6 * MINUTE)

    service.run(fact_outputs=(TakesLong(receiver),))
    assert receiver.last == 3
    service.run(minutes=0.4)
    assert receiver.last == 3

    service.run()
    assert receiver.last == 4


def test_a_new_output_on_an_old_stage_gets_what_is_open(receiver: Receiver) -> None:
    service = Service()
    service.report("i-1", "A", "B")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "B", run="run-2")
    service.run()
    service.webhook = receiver

    service.run()

    assert (receiver.open, receiver.starts) == (ids("B"), 1)
    assert service.ledger.receipts[OUTPUT] != NO_FACTS
    assert isinstance(service.clock.now, datetime)
