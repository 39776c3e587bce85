"""Delivery steps: a step that fails is retried, and a step that was taken is never repeated."""

from datetime import timedelta

import pytest

from chalicelib.domain.errors import DeliveryError, MessageRefused
from tests.fleet import FILE, HOUR, MINUTE, POST, STORE, Service, kind_of

DOWN = DeliveryError("service_unavailable", retryable=True)
REVOKED = DeliveryError("token_revoked", retryable=False, hint="mend SLACK_TOKEN_PARAMETER")


@pytest.fixture
def service() -> Service:
    """A service whose only node has one finding that no scan has read."""
    service = Service()
    service.report("i-1", "A")
    return service


def test_a_post_that_fails_is_retried_and_posted_once(service: Service) -> None:
    service.channel.fail_post(DOWN)

    report = service.run()

    assert [(kind_of(each), each.error) for each in report.undelivered] == [(POST, DOWN)]
    assert len(report.pending) == 1

    service.run()
    service.run()

    assert service.messages == ["new: A"]
    assert [each.thread for each in service.channel.attachments] == ["thread-1"]


def test_a_file_that_fails_never_repeats_the_post(service: Service) -> None:
    service.channel.fail_attach(DOWN, times=3)

    for _ in range(5):
        service.run()
        service.clock.forward(HOUR)

    assert service.messages == ["new: A"]
    assert [each.content for each in service.channel.attachments] == [b"A"]
    assert service.context.work.open().messages == ()


def test_a_bucket_that_is_down_delays_neither_post_nor_file(service: Service) -> None:
    service.files.fail(DOWN, times=2)

    report = service.run()

    assert [kind_of(each) for each in report.undelivered] == [STORE]
    assert service.messages == ["new: A"]
    assert [each.content for each in service.channel.attachments] == [b"A"]

    service.run()

    assert list(service.files.objects.values()) == [b"A"]
    assert service.messages == ["new: A"]


def test_a_pending_file_is_attached_from_the_bucket(service: Service) -> None:
    service.channel.fail_attach(DOWN)
    service.run()

    service.report("i-1", run="run-2")
    service.run()

    assert service.list_titles() == []
    assert [each.content for each in service.channel.attachments] == [b"A"]


def test_a_csv_that_was_never_stored_is_rebuilt_from_the_findings_that_still_fail(
    service: Service,
) -> None:
    service.add_snooze(title="C", ends_at=service.clock.now + HOUR)
    service.report("i-1", "A", "B", "C")
    service.run()
    service.clock.forward(HOUR)
    service.report("i-1", "B", "C", "D", run="run-2")
    service.files.fail(DOWN, times=2)
    service.channel.fail_attach(DOWN)

    service.run()

    assert service.messages[-1] == "new: D,C"

    service.run()

    assert [each.content for each in service.channel.attachments[-2:]] == [b"C\nD", b"fixed A"]


def test_a_stored_csv_that_is_gone_is_rebuilt(service: Service) -> None:
    service.channel.fail_attach(DOWN)
    service.run()

    service.files.fail(DeliveryError("NoSuchKey", retryable=False))
    service.run()

    assert [each.content for each in service.channel.attachments] == [b"A"]


def test_a_pending_file_waits_for_a_bucket_that_does_not_answer(service: Service) -> None:
    service.channel.fail_attach(DOWN)
    service.run()

    service.files.fail(DOWN)
    report = service.run()

    assert [(kind_of(each), each.error) for each in report.undelivered] == [(FILE, DOWN)]

    service.run()

    assert [each.content for each in service.channel.attachments] == [b"A"]


def test_a_message_whose_blocks_are_refused_is_posted_as_plain_text(service: Service) -> None:
    service.channel.fail_post(MessageRefused("invalid_blocks"))

    service.run()

    (post,) = service.channel.posts
    assert (post.text, post.blocks) == ("new: A", ())


def test_a_message_that_is_refused_does_not_delay_the_next(service: Service) -> None:
    service.channel.fail_post(DOWN)
    service.run()
    service.clock.forward(MINUTE)
    service.channel.fail_post(MessageRefused("msg_too_long"), times=2)
    service.report("i-1", "A", "B", run="run-2")

    report = service.run()

    line, alert = service.messages
    assert line.startswith("Slack refused the message")
    assert alert == "new: B"
    assert report.pending == ()


def test_a_channel_that_is_down_is_tried_once_per_scan_and_loses_nothing(service: Service) -> None:
    service.channel.fail_post(REVOKED, times=3)

    for number in range(3):
        service.report("i-1", *"ABC"[: number + 1], run=f"run-{number + 2}")
        report = service.run()
        assert len(report.undelivered) == 1
        service.clock.forward(HOUR)

    assert len(service.files.objects) == 3

    service.run()

    assert service.messages == ["new: A", "new: B", "new: C"]
    assert len(service.channel.attachments) == 3


def test_a_bucket_that_is_down_is_tried_once_per_scan(service: Service) -> None:
    service.files.fail(DOWN, times=9)

    for number in range(3):
        service.clock.forward(HOUR)
        service.report("i-1", *"ABC"[: number + 1], run=f"run-{number + 2}")
        report = service.run()
        assert [kind_of(each) for each in report.undelivered] == [STORE]

    assert len(service.messages) == len(service.channel.attachments) == 3


def test_no_step_begins_when_the_time_is_up(service: Service) -> None:
    service.enqueue_month()

    report = service.run(minutes=0.4)

    assert report.deliveries == ()
    assert len(report.pending) == 1

    service.clock.forward(timedelta(minutes=15))
    service.run()

    assert service.messages == ["monthly: 0", "new: A"]


def test_only_the_newest_pending_notice_is_posted(service: Service) -> None:
    service.run()
    service.channel.fail_post(REVOKED, times=3)
    for number in range(3):
        service.clock.forward(HOUR)
        service.enqueue(nodes={"Success": 1})
        service.report("i-1", "A", run=f"run-{number + 2}")
        service.run()

    service.clock.forward(HOUR)
    service.run()

    assert service.messages == ["new: A", "nothing new: "]
    assert service.context.work.open().messages == ()


def test_a_new_alert_is_posted_before_pending_files_are_attached(service: Service) -> None:
    service.channel.fail_attach(DOWN, times=2)
    service.run()
    service.clock.forward(MINUTE)
    service.report("i-1", "A", "B", run="run-2")

    report = service.run()

    assert service.messages == ["new: A", "new: B"]
    assert [kind_of(each) for each in report.deliveries] == [POST, FILE]

    service.clock.forward(HOUR)
    service.run()

    assert len(service.channel.attachments) == 2


def test_the_age_of_the_oldest_pending_message_is_reported(service: Service) -> None:
    service.channel.fail_post(DOWN, times=9)

    assert service.run().pending_age == timedelta()

    service.clock.forward(HOUR)
    service.report("i-2", "B")

    assert service.run().pending_age == HOUR
