"""Delivery in recorded steps: what fails is tried again, what was taken is never repeated."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

import pytest

from chalicelib.domain.errors import DeliveryError, MessageRefused, Unavailable
from chalicelib.domain.finding import Finding
from chalicelib.domain.message import Message, Rendered, Step
from chalicelib.usecases.announce.deliver import MessageDelivery
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import Work
from chalicelib.usecases.run import run_scans
from tests.fakes import MemorySorter
from tests.fleet import HOUR, MINUTE, START, Service, make_snooze

DOWN = DeliveryError("service_unavailable", retryable=True)
REVOKED = DeliveryError("token_revoked", retryable=False, hint="mend SLACK_TOKEN_PARAMETER")


@pytest.fixture
def service() -> Service:
    service = Service()
    service.report("i-1", "A")
    return service


def test_a_refused_post_is_tried_again_and_posted_once(service: Service) -> None:
    service.channel.fail_post(DOWN)
    report = service.run()
    assert [(each.step, each.error) for each in report.undelivered] == [(Step.POST, DOWN)]
    assert len(report.pending) == 1
    service.run()
    service.run()
    assert service.messages == ["new: A"]
    assert [each.thread for each in service.channel.attachments] == ["thread-1"]


def test_a_refused_file_never_repeats_the_message(service: Service) -> None:
    service.channel.fail_attach(DOWN, times=3)
    for _ in range(5):
        service.run()
    assert service.messages == ["new: A"]
    assert [each.content for each in service.channel.attachments] == [b"A"]
    assert service.context.work.open().messages == ()


def test_a_refusing_bucket_delays_neither_message_nor_file(service: Service) -> None:
    service.files.fail(DOWN, times=2)
    report = service.run()
    assert [each.step for each in report.undelivered] == [Step.STORE]
    assert service.messages == ["new: A"]
    assert [each.content for each in service.channel.attachments] == [b"A"]
    service.run()
    assert list(service.files.objects.values()) == [b"A"]
    assert service.messages == ["new: A"]


def test_a_file_that_waits_is_finished_from_the_bucket(service: Service) -> None:
    service.channel.fail_attach(DOWN)
    service.run()
    service.report("i-1", run="run-2")
    service.run()
    assert service.list_titles() == []
    assert [each.content for each in service.channel.attachments] == [b"A"]


def test_a_file_that_was_never_stored_is_made_again_of_what_still_fails(service: Service) -> None:
    service.ledger.snoozes["s-1"] = make_snooze(title="C", ends_at=service.clock.now + HOUR)
    service.report("i-1", "A", "B", "C")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "B", "C", "D", run="run-2")
    service.files.fail(DOWN, times=2)
    service.channel.fail_attach(DOWN)
    service.run()
    assert service.messages[-1] == "new: D,C"
    service.run()
    assert service.channel.attachments[-1].content == b"C\nD"


def test_what_the_channel_refuses_in_this_form_is_posted_as_plain_text(service: Service) -> None:
    service.channel.fail_post(MessageRefused("invalid_blocks"))
    service.run()
    (post,) = service.channel.posts
    assert (post.text, post.blocks) == ("new: A", ())


def test_a_message_that_is_refused_in_any_form_does_not_hold_up_the_next(
    service: Service,
) -> None:
    service.channel.fail_post(MessageRefused("msg_too_long"), times=2)
    service.run()
    service.clock.forward(MINUTE)
    service.channel.fail_post(MessageRefused("msg_too_long"), times=2)
    service.report("i-1", "A", "B", run="run-2")
    report = service.run()
    assert service.messages == ["new: B"]
    assert [each.error is not None for each in report.deliveries] == [True, False, False]
    assert len(report.pending) == 1


def test_a_stored_file_that_is_gone_is_made_again(service: Service) -> None:
    service.channel.fail_attach(DOWN)
    service.run()
    service.files.fail(DeliveryError("NoSuchKey", retryable=False))
    service.run()
    assert [each.content for each in service.channel.attachments] == [b"A"]


def test_a_bucket_that_does_not_answer_is_asked_again(service: Service) -> None:
    service.channel.fail_attach(DOWN)
    service.run()
    service.files.fail(DOWN)
    report = service.run()
    assert [(each.step, each.error) for each in report.undelivered] == [(Step.FILE, DOWN)]
    service.run()
    assert [each.content for each in service.channel.attachments] == [b"A"]


def test_a_dead_channel_is_tried_once_a_pass_and_loses_nothing(service: Service) -> None:
    service.channel.fail_post(REVOKED, times=3)
    for number in range(3):
        service.report("i-1", *"ABC"[: number + 1], run=f"run-{number + 2}")
        report = service.run()
        assert len(report.undelivered) == 1
        service.clock.forward(MINUTE)
    assert len(service.files.objects) == 3
    service.run()
    assert service.messages == ["new: A", "new: B", "new: C"]
    assert len(service.channel.attachments) == 3


def test_the_monthly_outputs_do_not_stop_each_other(service: Service) -> None:
    service.run()
    service.enqueue_month()
    service.channel.fail_attach(DOWN)
    service.files.fail(DOWN)
    report = service.run()
    assert [each.step for each in report.undelivered] == [Step.STORE, Step.FILE]
    assert service.messages[-1] == "monthly: 1"
    service.run()
    assert "monthly/2026/11/non-compliant-2026-11-23.csv" in service.files.objects
    assert service.messages == ["new: A", "monthly: 1"]
    assert service.channel.attachments[-1].name == "non-compliant-2026-11-23.csv"


def test_no_step_begins_when_the_time_is_up(service: Service) -> None:
    service.enqueue_month()
    report = service.run(minutes=0.4)
    assert report.deliveries == ()
    assert len(report.pending) == 1
    service.clock.forward(timedelta(minutes=15))
    service.run()
    assert service.messages == ["monthly: 0", "new: A"]


def test_of_notices_that_waited_only_the_newest_is_posted(service: Service) -> None:
    service.run()
    service.channel.fail_post(REVOKED, times=3)
    for number in range(3):
        service.clock.forward(HOUR)
        service.enqueue()
        service.report("i-1", "A", run=f"run-{number + 2}")
        service.run()
    service.run()
    assert service.messages == ["new: A", "nothing new: "]
    assert service.context.work.open().messages == ()


def test_a_new_alert_is_posted_before_old_files_are_tried(service: Service) -> None:
    service.channel.fail_attach(DOWN, times=2)
    service.run()
    service.clock.forward(MINUTE)
    service.report("i-1", "A", "B", run="run-2")
    report = service.run()
    assert service.messages == ["new: A", "new: B"]
    assert [each.step for each in report.deliveries] == [Step.POST, Step.FILE]
    service.run()
    assert len(service.channel.attachments) == 2


def test_a_bucket_that_is_down_is_tried_once_a_pass(service: Service) -> None:
    service.files.fail(DOWN, times=9)
    for number in range(3):
        service.clock.forward(MINUTE)
        service.report("i-1", *"ABC"[: number + 1], run=f"run-{number + 2}")
        report = service.run()
        assert [each.step for each in report.undelivered] == [Step.STORE]
    assert len(service.messages) == len(service.channel.attachments) == 3


@dataclass
class Unrecorded:
    """The ledger, refusing to record so many times."""

    work: Work
    times: int

    def __getattr__(self, name: str) -> object:
        return getattr(self.work, name)

    def record(self, message: Message, now: datetime) -> None:
        if self.times > 0:
            self.times -= 1
            raise Unavailable("ledger did not answer")
        self.work.record(message, now)


def forgetful(service: Service, times: int) -> Context:
    return replace(service.context, work=cast("Work", Unrecorded(service.context.work, times)))


def test_a_post_that_is_not_recorded_at_once_is_recorded_in_the_end(service: Service) -> None:
    (report,) = run_scans(forgetful(service, 1), START + 15 * MINUTE)
    assert [(each.step, bool(each.error)) for each in report.deliveries] == [
        (Step.POST, True),
        (Step.POST, False),
    ]
    service.run()
    assert (service.messages, len(service.channel.attachments)) == (["new: A"], 1)


def test_while_the_ledger_records_nothing_no_further_message_is_posted(service: Service) -> None:
    service.channel.fail_post(DOWN)
    service.run()
    service.clock.forward(MINUTE)
    service.report("i-1", "A", "B", run="run-2")
    run_scans(forgetful(service, 1), service.clock.now + 15 * MINUTE)
    assert service.messages == ["new: A"]
    service.run()
    assert service.messages == ["new: A", "new: B"]


def test_a_step_that_is_never_recorded_is_pending_and_taken_again(service: Service) -> None:
    (report,) = run_scans(forgetful(service, 99), START + 15 * MINUTE)
    assert {type(each.error) for each in report.undelivered} == {Unavailable}
    assert len(report.pending) == 1
    service.run()
    assert service.messages == ["new: A", "new: A"]


def test_a_month_that_is_owed_again_is_paid_and_not_written_over(service: Service) -> None:
    service.enqueue_month()
    service.run()
    before = dict(service.files.objects)
    service.ledger.completed.clear()
    service.report("i-1", "A", "B", run="run-2")
    service.enqueue_month()
    report = service.run()
    assert report.failure is None
    key = "monthly/2026/11/non-compliant-2026-11-23.csv"
    assert service.files.objects[key] == before[key]
    assert service.context.work.open().jobs == ()


def test_a_message_without_a_file_has_nothing_to_store_or_attach(service: Service) -> None:
    message = Message("m-1", START, Rendered("text", ()), done={Step.POST: "thread-1"})
    courier = MessageDelivery(service.context, message, None)
    assert (courier.take(Step.STORE), courier.take(Step.FILE)) == (None, None)
    assert message.sent


def test_the_oldest_pending_message_says_how_long_people_have_been_waiting(
    service: Service,
) -> None:
    service.channel.fail_post(DOWN, times=9)
    assert service.run().pending_age == timedelta()
    service.clock.forward(HOUR)
    service.report("i-2", "B")
    assert service.run().pending_age == HOUR


def test_what_a_scan_says_does_not_wait_for_a_month_that_takes_long(service: Service) -> None:
    said_before: list[str] = []

    class Slow:
        def worst_first(self, findings: Iterable[Finding]) -> Iterable[Finding]:
            said_before.extend(service.messages)
            return MemorySorter().worst_first(findings)

    service.enqueue_month()
    run_scans(replace(service.context, sorter=Slow()), START + 15 * MINUTE)
    assert said_before == ["new: A"]
    assert service.messages == ["new: A", "monthly: 1"]


def test_where_the_channel_is_down_a_month_is_stored_and_not_posted_in_vain(
    service: Service,
) -> None:
    service.enqueue_month()
    service.channel.fail_post(DOWN)
    report = service.run()
    assert [each.step for each in report.undelivered] == [Step.POST]
    assert len(service.files.objects) == 2
    assert service.messages == []
    service.run()
    assert service.messages == ["new: A", "monthly: 1"]
