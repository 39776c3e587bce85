"""An output that fails is tried by the next scan, then after pauses. It delays only itself."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from chalicelib.domain.errors import DeliveryError, FileRefused, Unavailable
from chalicelib.domain.message import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    CsvFile,
    Message,
    OutputState,
    compute_pause,
)
from chalicelib.usecases.context import Options
from chalicelib.usecases.ports import ReadCsv, StepReceipt
from tests.fakes import PassThrough
from tests.fleet import DAY, FILE, HOUR, MINUTE, POST, STORE, Service, kind_of

DOWN = DeliveryError("service_unavailable", retryable=True)
REVOKED = DeliveryError("token_revoked", retryable=False, hint="mend SLACK_TOKEN_PARAMETER")


@pytest.fixture
def service() -> Service:
    """A service whose only node has one finding that no scan has read."""
    service = Service()
    service.report("i-1", "A")
    return service


def test_pauses_double_from_a_quarter_of_an_hour_up_to_a_day() -> None:
    minutes = [compute_pause(failures) / MINUTE for failures in range(1, 11)]

    assert minutes == [0, 15, 30, 60, 120, 240, 480, 960, 1440, 1440]
    assert compute_pause(10**9) == LONGEST_PAUSE


def list_attempts(service: Service, span: timedelta) -> list[timedelta]:
    """Runs scans every five minutes; lists when a step failed."""
    began, attempts = service.clock.now, []
    while service.clock.now < began + span:
        if service.run().undelivered:
            attempts.append(service.clock.now - began)
        service.clock.forward(5 * MINUTE)
    return attempts


def test_a_channel_that_stays_down_is_tried_less_and_less_often(service: Service) -> None:
    service.channel.fail_post(DOWN, times=99)

    attempts = list_attempts(service, 5 * HOUR)

    assert [each / MINUTE for each in attempts] == [0, 5, 20, 50, 110, 230]
    (state,) = service.ledger.outputs.values()
    assert (state.name, state.code, state.failures) == ("slack", "service_unavailable", 6)


def test_a_message_that_comes_during_a_pause_waits_for_its_end(service: Service) -> None:
    service.channel.fail_post(DOWN, times=2)
    service.run()
    service.run()
    service.report("i-1", "A", "B", run="run-2")
    service.clock.forward(FIRST_PAUSE - MINUTE)

    report = service.run()

    assert (report.deliveries, len(report.pending), service.messages) == ((), 2, [])

    service.clock.forward(MINUTE)
    service.run()

    assert service.messages == ["new: A", "new: B"]
    assert service.ledger.outputs == {}


@pytest.mark.parametrize("name", ["id", "token"])
def test_a_new_token_or_channel_ends_a_pause_at_once(service: Service, name: str) -> None:
    service.channel.fail_post(REVOKED, times=3)
    service.run()
    service.run()

    assert service.run().deliveries == ()

    setattr(service.channel, name, "another")
    report = service.run()

    assert [each.error for each in report.deliveries] == [REVOKED]
    assert service.ledger.outputs["slack"].failures == 1

    service.run()

    assert service.messages == ["new: A"]
    assert service.ledger.outputs == {}


@pytest.mark.parametrize("name", ["id", "token"])
def test_a_pause_that_ended_early_leaves_no_trouble(service: Service, name: str) -> None:
    service.channel.fail_post(REVOKED, times=2)
    service.run()
    service.run()

    setattr(service.channel, name, "another")
    service.run()

    assert service.messages == ["new: A"]
    assert service.ledger.outputs == {}


def test_a_full_scan_tries_every_output_and_message(service: Service) -> None:
    service.channel.fail_post(DOWN, times=2)
    service.files.fail(DOWN, times=3)
    service.run()
    service.run()

    assert service.ledger.outputs.keys() == {"slack", "s3"}

    service.run(Options(full=True))

    assert service.messages == ["new: A"]
    assert list(service.files.objects.values()) == [b"A"]
    assert service.ledger.outputs == {}


def test_files_that_fail_do_not_pause_posts(service: Service) -> None:
    service.channel.fail_attach(DOWN, times=2)
    service.run()
    service.run()

    assert service.ledger.outputs["slack"].later_only

    service.report("i-1", "A", "B", run="run-2")
    report = service.run()

    assert [kind_of(each) for each in report.deliveries] == [POST]
    assert service.messages == ["new: A", "new: B"]
    assert service.ledger.outputs["slack"].later_only

    service.clock.forward(FIRST_PAUSE)
    service.run()

    assert len(service.channel.attachments) == 2
    assert service.ledger.outputs == {}


def test_posts_that_begin_to_fail_are_a_new_trouble(service: Service) -> None:
    service.channel.fail_attach(DOWN, times=2)
    service.run()
    service.run()
    service.channel.fail_post(REVOKED)
    service.report("i-1", "A", "B", run="run-2")

    service.run()

    state = service.ledger.outputs["slack"]
    assert (state.failures, state.code, state.later_only) == (1, "token_revoked", False)

    service.run()

    assert len(service.channel.attachments) == 2
    assert service.ledger.outputs == {}


def test_a_month_is_posted_while_files_of_an_alert_fail(service: Service) -> None:
    service.enqueue_month()
    service.channel.fail_attach(DOWN)

    service.run()

    assert service.messages == ["new: A", "monthly: 1"]
    assert service.channel.attachments == ()


def test_an_output_that_works_writes_no_row(service: Service) -> None:
    class Watched(PassThrough):
        saved = 0

        def save_output(self, name: str, state: OutputState | None) -> None:
            Watched.saved += 1
            self.port.save_output(name, state)

    work = Watched(service.context.work)
    service.run(work=work)

    assert Watched.saved == 0

    service.report("i-1", "A", "B", run="run-2")
    service.channel.fail_post(DOWN, times=2)
    for _ in range(4):
        service.run(work=work)

    assert Watched.saved == 2


def test_the_identity_is_found_only_while_a_pause_stands_or_begins(service: Service) -> None:
    class Watched(PassThrough):
        found = 0

        def identity(self) -> str:
            Watched.found += 1
            return str(self.port.identity())

    slack, s3 = service.outputs
    outputs = (Watched(slack), s3)
    service.channel.fail_post(DOWN, times=2)
    counts = []
    for _ in range(4):
        service.run(outputs=outputs)
        counts.append(Watched.found)
    service.clock.forward(FIRST_PAUSE)
    service.run(outputs=outputs)
    service.run(outputs=outputs)
    counts.append(Watched.found)

    assert counts == [0, 1, 2, 3, 3]
    assert service.messages == ["new: A"]


class Anonymous(PassThrough):
    """An output whose identity cannot be found."""

    def identity(self) -> str:
        """Raises an error."""
        raise DeliveryError("token_unreadable", retryable=True)


def test_an_identity_that_cannot_be_found_does_not_end_a_pause(service: Service) -> None:
    slack, s3 = service.outputs
    service.channel.fail_post(DOWN, times=2)
    for _ in range(3):
        report = service.run(outputs=(Anonymous(slack), s3))

    assert report.deliveries == ()

    service.run()

    assert service.messages == ["new: A"]


def test_a_ledger_that_does_not_take_the_trouble_of_an_output_stops_nothing(
    service: Service,
) -> None:
    class Refuses(PassThrough):
        def save_output(self, *_: object) -> None:
            raise Unavailable("the ledger did not answer")

    work = Refuses(service.context.work)
    service.channel.fail_post(DOWN, times=3)
    for _ in range(4):
        report = service.run(work=work)

    assert report.failure is None
    assert service.messages == ["new: A"]


class Picky:
    """An output that refuses the files of one message `times` times."""

    name = "picky"

    def __init__(self, times: int) -> None:
        self.times = times
        self.taken: list[str] = []

    def list_steps(self, message: Message) -> tuple[str, ...]:
        """A step for each file."""
        return tuple(f"picky.file:{file.name}" for file in message.files)

    def take(self, step: str, message: Message, read_csv: ReadCsv) -> StepReceipt:
        """Takes a file."""
        file: CsvFile = message.get_file(step.partition(":")[2])
        content = b"".join(read_csv(file))
        if content == b"A" and self.times:
            self.times -= 1
            raise FileRefused("too_ugly", "make it nicer")
        self.taken.append(content.decode())
        return StepReceipt("taken")

    def identity(self) -> str:
        """Always the same."""
        return self.name


def test_a_refusal_of_one_message_pauses_only_this_message(service: Service) -> None:
    picky = Picky(times=3)
    outputs = (picky, *service.outputs)
    attempts: list[float] = []
    for minute in range(0, 60, 5):
        if service.run(outputs=outputs).undelivered:
            attempts.append(minute)
        service.clock.forward(5 * MINUTE)
        titles = (f"B{number}" for number in range(0, minute + 1, 5))
        service.report("i-1", "A", *titles, run=f"run-{minute}")

    assert attempts == [0, 5, 20]
    assert picky.taken == [*(f"B{minute}" for minute in range(0, 45, 5)), "A", "B45", "B50"]
    assert service.ledger.outputs == {}
    first = service.ledger.sent[min(service.ledger.sent)]
    assert first.failures == {}


def test_the_trouble_of_a_message_says_what_failed(service: Service) -> None:
    outputs = (Picky(times=2), *service.outputs)
    for _ in range(2):
        service.run(outputs=outputs)

    (pending,) = service.ledger.messages.values()
    (trouble,) = pending.failures.values()
    assert (trouble.failures, trouble.code) == (2, "too_ugly")
    assert trouble.retry_at == service.clock.now + FIRST_PAUSE

    report = service.run(Options(full=True), outputs=outputs)

    assert report.pending == ()


def test_a_csv_that_cannot_be_read_is_no_trouble_of_the_output(service: Service) -> None:
    class Unreadable(PassThrough):
        def get(self, _: str) -> Iterator[bytes]:
            raise DeliveryError("SlowDown", retryable=True)

    service.channel.fail_attach(DOWN)
    service.run()

    report = service.run(files=Unreadable(service.files))

    assert [kind_of(each) for each in report.undelivered] == [FILE]
    assert service.ledger.outputs["slack"].code == "service_unavailable"
    (pending,) = service.ledger.messages.values()
    assert [each.code for each in pending.failures.values()] == ["SlowDown"]


def test_findings_that_cannot_be_read_stop_an_output_for_one_scan(service: Service) -> None:
    class Unreadable(PassThrough):
        def all(self) -> object:
            raise Unavailable("the table did not answer")

    service.files.fail(DOWN, times=4)
    service.run()
    service.report("i-1", "A", "B", run="run-2")
    service.clock.forward(MINUTE)
    service.run()
    service.clock.forward(DAY)

    report = service.run(findings=Unreadable(service.findings))

    assert [kind_of(each) for each in report.undelivered] == [STORE]
    assert isinstance(report.undelivered[0].error, Unavailable)

    service.run()

    assert sorted(service.files.objects.values()) == [b"A", b"B"]


def test_a_trouble_that_cannot_be_recorded_is_recorded_before_the_scan_ends(
    service: Service,
) -> None:
    class FailsOnce(PassThrough):
        left = 2

        def record(self, message: Message, *now: object) -> None:
            if message.failures and self.left:
                self.left -= 1
                raise Unavailable("the ledger did not answer")
            self.port.record(message, *now)

    outputs = (Picky(times=1), *service.outputs)
    service.run(outputs=outputs, work=FailsOnce(service.context.work))

    (pending,) = service.ledger.messages.values()
    assert [each.code for each in pending.failures.values()] == ["too_ugly"]
