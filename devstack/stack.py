"""The whole stack on one machine: AWS, Slack, tables, bucket, the Slack token."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from devstack.aws.resources import Resources, create_resources
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from devstack.environment import CHANNEL_ID, TOKEN, TOKEN_PARAMETER, build_settings
from devstack.slack import SlackStandIn, serve_slack


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens; 0 takes a free port."""

    aws: int = 0
    slack: int = 0
    api: int = 0
    viewer: int = 0


@dataclass(frozen=True, slots=True)
class Stack:
    """Running stand-ins; `env` are the settings that point the handlers at them."""

    aws: AwsServer
    slack: SlackStandIn
    resources: Resources
    env: Mapping[str, str]


@contextmanager
def run_stack(aws_port: int = 0, slack_port: int = 0) -> Iterator[Stack]:
    """Run the stand-ins while the block lasts; port 0 takes a free one."""
    with (
        serve_aws(aws_port) as aws,
        serve_slack(slack_port, token=TOKEN, channel_id=CHANNEL_ID) as slack,
    ):
        resources = create_resources(aws.url, stage="devstack")
        with closing(make_session().client("ssm", endpoint_url=aws.url)) as ssm:
            ssm.put_parameter(Name=TOKEN_PARAMETER, Value=TOKEN, Type="SecureString")
        env = build_settings(
            aws_url=aws.url,
            slack_url=slack.base_url,
            findings_table=resources.findings_table,
            nodes_table=resources.nodes_table,
            ledger_table=resources.ledger_table,
            reports_bucket=resources.reports_bucket,
        )
        yield Stack(aws, slack, resources, env)


STATE = Path("build/devstack/running.json")


class NotRunningError(RuntimeError):
    """No stack is running; the text says how to start one."""


class RunningStack(msgspec.Struct, frozen=True):
    """Where the running stack is, and the settings for it; `api_url` None: no API is served."""

    aws_url: str
    page_url: str
    env: Mapping[str, str]
    api_url: str | None = None


@contextmanager
def publish_running(running: RunningStack, path: Path = STATE) -> Iterator[None]:
    """Let other commands find this stack while the block lasts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(running))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def read_running(path: Path = STATE) -> RunningStack:
    """The stack that is running now, or `NothingRunsError`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=RunningStack)
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise NotRunningError(
            "No stack is running here. Start one in another terminal: make up"
        ) from error
