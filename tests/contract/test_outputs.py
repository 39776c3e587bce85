"""What every output does: it plans steps, takes them, fails in one way and can be tried again."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.s3 import S3Files, S3Output
from chalicelib.adapters.slack import Channel, SlackOutput, slack_channel
from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.message import CsvFile, Message, Source
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.summary import AlertSummary
from chalicelib.reports.slack_blocks import Rendered
from chalicelib.usecases.ports import Files, Output
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from devstack.slack import Fault, SlackStandIn, serve_slack
from tests.contract.samples import ALERT, MONTH, NOW
from tests.fakes import MemoryChannel, MemoryFiles
from tests.webhook import HttpReceiver, Receiver, WebhookMessages, serve_receiver

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.enable_socket

DOWN = DeliveryError("internal_error", retryable=True)
BUCKET, OTHER_BUCKET = "reports", "other-reports"
FILES = (
    CsvFile("alerts/1.csv", "New findings", Source.SCANS),
    CsvFile("alerts/1-all.csv", "All findings", Source.EVERYTHING),
)
MESSAGES = [
    Message("scan-1", NOW, alert=ALERT),
    Message("scan-1", NOW, alert=ALERT, files=FILES[:1]),
    Message("scan-1", NOW, alert=ALERT, files=FILES),
    Message("monthly-1", NOW, month=MONTH, files=FILES[1:]),
]
TWO_FILES = MESSAGES[2]


@dataclass(frozen=True)
class Target:
    """An output, the same with another target, what has arrived, and how to let it fail once."""

    output: Output
    other: Output
    arrived: Callable[[], list[bytes]]
    fail_once: Callable[[], None]


def read_csv(file: CsvFile) -> Iterator[bytes]:
    yield b"title\r\n"
    yield f"{file.name}\r\n".encode()


def render_alert(alert: AlertSummary) -> Rendered:
    return Rendered(f"{alert.topic}")


def render_monthly(month: MonthlyReport) -> Rendered:
    return Rendered(f"{month.total}")


def build_slack(channel: Channel) -> SlackOutput:
    return SlackOutput(channel, render_alert, render_monthly)


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackStandIn]:
    with serve_slack() as running:
        yield running


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def s3(server: AwsServer) -> Iterator["S3Client"]:
    with closing(make_session().client("s3", endpoint_url=server.url)) as client:
        yield client


def over_memory_channel() -> Target:
    channel, other = MemoryChannel(), MemoryChannel()
    other.token = "xoxb-other"

    def list_arrived() -> list[bytes]:
        texts = [post.text.encode() for post in channel.posts]
        return texts + [each.content for each in channel.attachments]

    def fail_once() -> None:
        channel.fail_post(DOWN)

    return Target(build_slack(channel), build_slack(other), list_arrived, fail_once)


def over_slack(slack: SlackStandIn) -> Target:
    slack.reset()

    def build(channel_id: str) -> SlackOutput:
        return build_slack(slack_channel(lambda: "xoxb-devstack", channel_id, slack.base_url))

    def list_arrived() -> list[bytes]:
        texts = [each.text.encode() for each in slack.messages if not each.files]
        return texts + [file.content for each in slack.messages for file in each.files]

    def fail_once() -> None:
        slack.fail("chat.postMessage", Fault.refused("internal_error"))

    return Target(build("C0DEVSTACK"), build("C0OTHER"), list_arrived, fail_once)


def over_files(
    files: Files, arrived: Callable[[], list[bytes]], fail: Callable[[], None]
) -> Target:
    return Target(S3Output(files, BUCKET), S3Output(files, OTHER_BUCKET), arrived, fail)


def over_memory_files() -> Target:
    files = MemoryFiles()
    return over_files(files, lambda: list(files.objects.values()), lambda: files.fail(DOWN))


class FailsOnce:
    """`Files` without an answer to the next `put`."""

    def __init__(self, files: S3Files) -> None:
        self.files = files
        self.is_down = False

    def put(self, key: str, content: Iterable[bytes]) -> None:
        name, self.is_down = ("missing-bucket" if self.is_down else BUCKET), False
        S3Files(self.files._connect, name).put(key, content)

    def get(self, key: str) -> Iterator[bytes]:
        return self.files.get(key)


def over_s3(server: AwsServer, s3: "S3Client") -> Target:
    server.reset()
    s3.create_bucket(Bucket=BUCKET)
    files = FailsOnce(S3Files(lambda: s3, BUCKET))

    def list_arrived() -> list[bytes]:
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return [b"".join(files.get(key)) for key in keys]

    def fail_once() -> None:
        files.is_down = True

    return over_files(files, list_arrived, fail_once)


def over_receiver(receiver: Receiver, poster: Receiver | HttpReceiver) -> Target:
    def list_arrived() -> list[bytes]:
        return receiver.bodies

    other = WebhookMessages(Receiver("elsewhere"))
    return Target(WebhookMessages(poster), other, list_arrived, receiver.fail)


@pytest.fixture
def webhook() -> Iterator[Target]:
    receiver = Receiver()
    with serve_receiver(receiver) as address:
        yield over_receiver(receiver, HttpReceiver(address))


@pytest.fixture(params=["memory channel", "slack", "memory files", "s3", "memory web", "web"])
def target(
    request: pytest.FixtureRequest,
    slack: SlackStandIn,
    server: AwsServer,
    s3: "S3Client",
    webhook: Target,
) -> Target:
    receiver = Receiver()
    builders: dict[str, Callable[[], Target]] = {
        "memory channel": over_memory_channel,
        "slack": lambda: over_slack(slack),
        "memory files": over_memory_files,
        "s3": lambda: over_s3(server, s3),
        "memory web": lambda: over_receiver(receiver, receiver),
        "web": lambda: webhook,
    }
    return builders[request.param]()


def take_all(output: Output, message: Message) -> Message:
    for step in output.list_steps(message):
        receipt = output.take(step, message, read_csv)
        message = message.with_receipt(step, receipt.text)
    return message


@pytest.mark.parametrize("message", MESSAGES)
def test_the_steps_of_a_message_are_named_after_the_output_and_stay_the_same(
    target: Target, message: Message
) -> None:
    steps = target.output.list_steps(message)

    assert all(step.startswith(f"{target.output.name}.") for step in steps)
    assert len(set(steps)) == len(steps)
    assert target.output.list_steps(take_all(target.output, message)) == steps
    assert target.other.list_steps(message) == steps


@pytest.mark.parametrize("message", MESSAGES)
def test_every_step_has_a_receipt_and_something_arrives(target: Target, message: Message) -> None:
    steps = target.output.list_steps(message)

    sent = take_all(target.output, message)

    assert sent.done.keys() == set(steps)
    assert all(sent.done.values())
    assert len(target.arrived()) == len(steps)


def test_each_file_arrives_unchanged(target: Target) -> None:
    take_all(target.output, TWO_FILES)

    assert {b"".join(read_csv(file)) for file in FILES} <= set(target.arrived())


def test_a_step_that_fails_raises_a_delivery_error_and_can_be_taken_again(target: Target) -> None:
    step, *_ = target.output.list_steps(TWO_FILES)
    target.fail_once()

    with pytest.raises(DeliveryError) as failed:
        target.output.take(step, TWO_FILES, read_csv)

    assert failed.value.code
    assert target.arrived() == []

    assert target.output.take(step, TWO_FILES, read_csv).text
    assert len(target.arrived()) == 1


def test_a_step_that_is_taken_twice_has_a_receipt_both_times(target: Target) -> None:
    step, *_ = target.output.list_steps(TWO_FILES)

    assert all(target.output.take(step, TWO_FILES, read_csv).text for _ in range(2))


def test_an_identity_changes_with_the_target_and_with_nothing_else(target: Target) -> None:
    before = target.output.identity()

    take_all(target.output, TWO_FILES)

    assert target.output.identity() == before
    assert before
    assert target.other.identity() != before


def test_an_identity_shows_no_credentials(target: Target) -> None:
    assert "xoxb" not in target.output.identity()
    assert len(target.output.identity()) <= 16
