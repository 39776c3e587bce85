"""What Slack will never take is settled within two scans, and the operator is told."""

import pytest

from chalicelib.adapters.slack.codes import UnknownCode
from chalicelib.adapters.slack.output import REFUSED
from chalicelib.domain.errors import DeliveryError, FileRefused, MessageRefused, ThreadGone
from chalicelib.domain.message import Message
from tests.fleet import FILE, HOUR, POST, Service, kind_of

DOWN = DeliveryError("service_unavailable", retryable=True)
BLOCKS = MessageRefused("invalid_blocks", "must be shorter")
BLOCKED = FileRefused("slack_connect_file_link_sharing_blocked", "ask the admins")
GONE = ThreadGone("thread_not_found", "the thread is gone")
UNKNOWN = UnknownCode("moon_is_full")
READ_ONLY = DeliveryError("restricted_action", retryable=False, hint="allow apps to post")
LINE = "The CSV is not here, because Slack refused it. It is in S3 as {key}."


@pytest.fixture
def service() -> Service:
    """A service whose only node has one finding that no scan has read."""
    service = Service()
    service.report("i-1", "A")
    return service


def get_sent(service: Service) -> Message:
    (sent,) = service.ledger.sent.values()
    return sent


def get_file_receipt(service: Service) -> str:
    sent = get_sent(service)
    return next(receipt for step, receipt in sent.done.items() if step.startswith(FILE))


def get_line(service: Service) -> str:
    (file,) = get_sent(service).files
    return LINE.format(key=file.key)


def test_a_form_that_is_refused_is_posted_as_text_and_the_operator_is_told(
    service: Service,
) -> None:
    service.channel.fail_post(BLOCKS)

    report = service.run()

    (post,) = service.channel.posts
    assert (post.text, post.blocks) == ("new: A", ())
    assert [(kind_of(each), each.refusal) for each in report.refused] == [(POST, BLOCKS)]
    assert report.undelivered == ()


@pytest.mark.parametrize("error", [BLOCKS, UNKNOWN])
def test_a_message_that_is_refused_in_both_forms_is_one_line_with_its_csv(
    service: Service, error: DeliveryError
) -> None:
    service.channel.fail_post(error, times=2)

    report = service.run()

    sent = get_sent(service)
    assert service.messages == [
        f"Slack refused the message {sent.id}. Its CSV is in S3 as {sent.files[0].key}."
    ]
    assert [each.thread for each in service.channel.attachments] == ["thread-1"]
    assert [each.refusal for each in report.refused] == [error]


def test_a_notice_that_is_refused_in_both_forms_names_no_csv(service: Service) -> None:
    service.run()
    service.clock.forward(HOUR)
    service.enqueue()
    service.report("i-1", "A", run="run-2")
    service.channel.fail_post(BLOCKS, times=2)

    service.run()

    (notice, *_) = (each for each in service.ledger.sent.values() if not each.files)
    assert service.messages[-1] == f"Slack refused the message {notice.id}."


def test_a_channel_that_refuses_even_a_line_is_in_trouble_and_loses_nothing(
    service: Service,
) -> None:
    service.channel.fail_post(BLOCKS, times=6)

    for _ in range(3):
        report = service.run()

    state = service.ledger.outputs["slack"]
    assert (state.code, state.failures, state.later_only) == ("invalid_blocks", 2, False)
    assert len(report.pending) == 1

    service.clock.forward(HOUR)
    service.run()

    assert service.messages == ["new: A"]


def test_a_file_whose_thread_is_gone_goes_into_the_channel_at_once(service: Service) -> None:
    service.channel.lock_thread("thread-1")

    report = service.run()

    assert [(each.thread, each.content) for each in service.channel.attachments] == [(None, b"A")]
    assert (report.undelivered, report.refused) == ((), ())


def test_a_file_that_is_refused_is_a_line_in_the_thread(service: Service) -> None:
    service.channel.takes_files = False

    report = service.run()

    ((thread, line),) = service.channel.replies
    assert (thread, line.text) == ("thread-1", get_line(service))
    assert get_file_receipt(service) == "C0MEMORY:reply-1"
    assert [each.refusal and each.refusal.code for each in report.refused] == [
        "file_uploads_disabled"
    ]
    assert report.undelivered == ()


def test_the_line_goes_into_the_channel_if_the_thread_is_gone(service: Service) -> None:
    service.channel.takes_files = False
    service.channel.lock_thread("thread-1")

    service.run()

    assert service.messages == ["new: A", get_line(service)]


def test_a_thread_that_even_the_channel_calls_gone_ends_with_the_line(service: Service) -> None:
    service.channel.fail_attach(GONE, times=2)

    service.run()

    ((_, line),) = service.channel.replies
    assert line.text == get_line(service)


def test_an_unknown_code_of_a_file_is_tried_once_more_and_then_settled(service: Service) -> None:
    service.channel.fail_attach(UNKNOWN, times=9)

    first = service.run()

    assert [kind_of(each) for each in first.undelivered] == [FILE]
    assert service.ledger.outputs == {}

    second = service.run()

    assert second.pending == ()
    assert [each.refusal for each in second.refused] == [UNKNOWN]
    ((_, line),) = service.channel.replies
    assert line.text == get_line(service)


def test_an_unknown_code_that_passes_delays_the_file_by_one_scan(service: Service) -> None:
    service.channel.fail_attach(UNKNOWN)
    service.run()

    service.run()

    assert [each.thread for each in service.channel.attachments] == ["thread-1"]
    assert get_sent(service).failures == {}


@pytest.mark.parametrize("error", [READ_ONLY, BLOCKS, UNKNOWN])
def test_a_file_whose_line_is_refused_too_is_settled_with_a_word(
    service: Service, error: DeliveryError
) -> None:
    service.channel.fail_attach(DOWN)
    service.run()
    service.channel.takes_files = False
    service.channel.fail_post(error)

    report = service.run()

    assert get_file_receipt(service) == REFUSED
    assert [each.refusal for each in report.refused] == [error]
    assert service.channel.replies == ()


def test_a_line_waits_for_a_channel_that_is_down(service: Service) -> None:
    service.channel.fail_attach(DOWN)
    service.run()
    service.channel.takes_files = False
    service.channel.fail_post(DOWN)

    report = service.run()

    assert [each.error for each in report.undelivered] == [DOWN]

    service.clock.forward(HOUR)
    service.run()

    ((_, line),) = service.channel.replies
    assert line.text == get_line(service)


def test_a_message_that_shows_nothing_stops_nothing_else(service: Service) -> None:
    broken = Message("broken", service.clock.now, steps=(POST,))
    service.ledger.messages["broken"] = broken
    service.enqueue_month()

    report = service.run()

    assert isinstance(report.failure, ValueError)
    assert "monthly: 1" in service.messages
