"""The stack of one machine: AWS and Slack with tables, a bucket and the Slack token.

`make up` keeps a stack running. It writes a file by which other commands find the stack.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from chalicelib.adapters.s3 import CONTROLS_KEY
from devstack.aws.resources import Resources, create_resources
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from devstack.environment import CHANNEL_ID, TOKEN, TOKEN_PARAMETER, build_settings
from devstack.slack import SlackStandIn, serve_slack
from ops.controls import PROFILE, encode_controls, read_controls

STATE = Path("build/devstack/running.json")


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of all servers. 0 stands for a free port."""

    aws: int = 0
    slack: int = 0
    api: int = 0
    viewer: int = 0


@dataclass(frozen=True, slots=True)
class Stack:
    """The running stand-ins, and in `env` the settings that point app.py at them."""

    aws: AwsServer
    slack: SlackStandIn
    resources: Resources
    env: Mapping[str, str]


@contextmanager
def run_stack(aws_port: int = 0, slack_port: int = 0) -> Iterator[Stack]:
    """Run the stand-ins for the length of a `with` block. Port 0 stands for a free port."""
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


def store_controls(stack: Stack) -> None:
    """Store what our profile says. A checkout has no package that would have it."""
    content = encode_controls(read_controls(PROFILE))
    with closing(make_session().client("s3", endpoint_url=stack.aws.url)) as s3:
        s3.put_object(Bucket=stack.resources.reports_bucket, Key=CONTROLS_KEY, Body=content)


class NotRunningError(RuntimeError):
    """No stack is running. The text says how to start one."""


class RunningStack(msgspec.Struct, frozen=True):
    """The addresses of a running stack and its settings. Without an API, `api_url` is None."""

    aws_url: str
    page_url: str
    env: Mapping[str, str]
    api_url: str | None = None


@contextmanager
def publish_running(running: RunningStack, path: Path = STATE) -> Iterator[None]:
    """Let other commands find this stack for the length of a `with` block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(running))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find_running(path: Path = STATE) -> RunningStack:
    """Return the running stack, or raise `NotRunningError`. A killed stack is not running."""
    try:
        running = msgspec.json.decode(path.read_bytes(), type=RunningStack)
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise NotRunningError(
            "No stack is running here. Start one in another terminal: make up"
        ) from error
    address = urlsplit(running.page_url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=2)
    try:
        connection.connect()
    except OSError as error:
        raise NotRunningError(
            f"The stack of {path} does not respond. Start one in another terminal: make up"
        ) from error
    finally:
        connection.close()
    return running
