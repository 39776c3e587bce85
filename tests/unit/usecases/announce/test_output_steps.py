"""The steps of the outputs: which a message has, and what happens if an output is replaced."""

from chalicelib.domain.errors import DeliveryError
from chalicelib.usecases.announce.deliver import NO_OUTPUT, SUPERSEDED
from tests.fleet import FILE, HOUR, POST, STORE, Service, kind_of

DOWN = DeliveryError("service_unavailable", retryable=True)


def test_a_csv_that_is_stored_with_its_message_needs_no_step_for_the_bucket(
    service: Service,
) -> None:
    service.report("i-1", "A")

    report = service.run()

    assert [kind_of(each) for each in report.deliveries] == [POST, FILE]
    (sent,) = service.ledger.sent.values()
    assert sent.stored_files == sent.files


def test_all_first_steps_come_before_all_second_ones(service: Service) -> None:
    service.report("i-1", "A")
    service.files.fail(DOWN)
    service.enqueue_month()

    report = service.run()

    assert [kind_of(each) for each in report.deliveries] == [POST, STORE, FILE, POST, STORE, FILE]


def test_the_receipt_of_a_post_names_its_channel(service: Service) -> None:
    service.report("i-1", "A")

    service.run()

    (sent,) = service.ledger.sent.values()
    assert sent.done[POST] == "C0MEMORY:thread-1"


def test_a_file_whose_post_is_in_another_channel_goes_into_the_present_one(
    service: Service,
) -> None:
    service.report("i-1", "A")
    service.channel.fail_attach(DOWN)
    service.run()

    service.channel.id = "C0OTHER"
    service.run()

    assert [(each.thread, each.content) for each in service.channel.attachments] == [(None, b"A")]
    assert service.messages == ["new: A"]


def test_the_steps_of_an_output_that_is_gone_are_settled(service: Service) -> None:
    service.report("i-1", "A")
    service.channel.fail_post(DOWN)
    service.files.fail(DOWN, times=2)
    service.run()

    slack, s3 = service.outputs
    service.run(outputs=(s3,))

    (sent,) = service.ledger.sent.values()
    assert [sent.done[step] for step in slack.list_steps(sent)] == [NO_OUTPUT] * 2
    assert list(service.files.objects.values()) == [b"A"]
    assert service.messages == []


def test_a_superseded_notice_has_a_receipt_that_says_so(service: Service) -> None:
    service.report("i-1")
    service.run()
    service.channel.fail_post(DOWN, times=2)
    for number in range(2):
        service.clock.forward(HOUR)
        service.enqueue()
        service.report("i-1", run=f"run-{number + 2}")
        service.run()

    receipts = [each.done[POST] for each in service.ledger.sent.values()]

    assert receipts == [SUPERSEDED]
