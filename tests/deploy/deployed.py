"""A deployed stage as its users see it: functions, an API, a channel, tables."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

import boto3

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import Role
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from devstack.emulator import Emulator, run_emulator
from devstack.environment import ACCOUNT, ASSOCIATION, CHANNEL_ID, REGION, TOKEN
from devstack.events import build_association_event
from devstack.inspec.loader import load_sample, read_clock
from devstack.slack import SlackStandIn, serve_slack
from ops.tokens import add_token
from tests.functional.api.client import Response

SLACK_TOKEN_PARAMETER = "/ec2-inspec-scan/dev/slack-token"
API_TOKENS_PARAMETER = "/ec2-inspec-scan/dev/api-tokens"
BUCKET = f"ec2-inspec-scan-dev-reports-{ACCOUNT}-{REGION}"


@dataclass(frozen=True)
class Surroundings:
    """The services around a stage: an AWS that runs Lambda functions, SSM, Slack."""

    emulator: Emulator
    aws: AwsServer
    slack: SlackStandIn

    @property
    def operator(self) -> dict[str, str]:
        """The environment of the operator's commands. SSM is at the stand-in with Compliance."""
        return {**self.emulator.build_operator_env(), "AWS_ENDPOINT_URL_SSM": self.aws.url}

    @property
    def settings(self) -> dict[str, str]:
        """Settings that keep a deployed stage on this machine."""
        return {"AWS_ENDPOINT_URL_SSM": self.aws.url, "SLACK_BASE_URL": self.slack.base_url}

    @contextmanager
    def client(self, service: Any) -> Iterator[Any]:
        """A client of the emulator with the operator's rights."""
        made = boto3.Session(
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name=REGION,
        ).client(service, endpoint_url=self.emulator.url)
        with closing(made) as client:
            yield client

    def take_plain_http(self) -> None:
        """Remove the bucket policy that refuses plain HTTP: the emulator has no TLS.

        Another test covers the policy.
        """
        with self.client("s3") as client:
            client.delete_bucket_policy(Bucket=BUCKET)

    def put_slack_token(self) -> None:
        """Store the Slack token as the runbook describes it."""
        with self._ssm() as ssm:
            ssm.put_parameter(
                Name=SLACK_TOKEN_PARAMETER, Value=TOKEN, Type="SecureString", Overwrite=True
            )

    def make_token(self, name: str, role: Role) -> str:
        """Add a token of the API and return it."""
        with self._ssm() as ssm:
            store = ParameterTokens(ssm, API_TOKENS_PARAMETER)
            return add_token(store, name, role, datetime.now(UTC))

    @contextmanager
    def _ssm(self) -> Iterator[Any]:
        with closing(make_session().client("ssm", endpoint_url=self.aws.url)) as ssm:
            yield ssm


@dataclass(frozen=True)
class Deployed:
    """A stage: Chalice's function names to those in AWS, and the id of the API."""

    surroundings: Surroundings
    functions: Mapping[str, str]
    api_id: str

    def report(self, node: str, sample: str) -> int:
        """Load a sample report of a node, and return its number of non-compliant items."""
        return load_sample(self.surroundings.aws.url, node, sample).non_compliant

    def scan(self) -> dict[str, Any]:
        """Invoke the function with the event of an execution that just ended on one node."""
        event = build_association_event(
            ASSOCIATION,
            "Success",
            read_clock(),
            {"Success": 1},
            datetime.now(UTC),
            account=ACCOUNT,
            region=REGION,
        )
        return self.invoke("ec2-inspec-scan", event)

    def invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a function and return its response. An error fails the test."""
        with self.surroundings.client("lambda") as client:
            answer = client.invoke(
                FunctionName=self.functions[function], Payload=json.dumps(event).encode()
            )
        content: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, content
        return content

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Response:
        """Call the API by its host name."""
        port = self.surroundings.emulator.port
        sent = {"Host": self.host, "Content-Type": "application/json", **(headers or {})}
        content = None if body is None else json.dumps(body).encode()
        with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as line:
            line.request(method, f"/api{path}", content, sent)
            answer = line.getresponse()
            return Response(answer.status, dict(answer.headers.items()), answer.read())

    @property
    def host(self) -> str:
        """The host name of the API."""
        return f"{self.api_id}.execute-api.localhost:{self.surroundings.emulator.port}"

    def headers_posted(self) -> list[str]:
        """The header of each message in the channel, without threads."""
        return [
            next(block["text"]["text"] for block in message.blocks if block["type"] == "header")
            for message in self.surroundings.slack.messages
            if message.thread_ts is None
        ]

    def files_posted(self) -> list[str]:
        """The names of the files in the channel."""
        messages = self.surroundings.slack.messages
        return [file.name for message in messages for file in message.files]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of one of the three tables."""
        with self.surroundings.client("dynamodb") as client:
            pages = client.get_paginator("scan").paginate(TableName=f"ec2-inspec-scan-dev-{table}")
            return [row for page in pages for row in page["Items"]]

    def objects(self) -> list[str]:
        """The keys in the bucket of reports."""
        with self.surroundings.client("s3") as client:
            listed = client.list_objects_v2(Bucket=BUCKET)
            return [each["Key"] for each in listed.get("Contents", [])]


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """Start the services around a stage, all of them empty."""
    with ExitStack() as running:
        yield Surroundings(
            running.enter_context(run_emulator()),
            running.enter_context(serve_aws()),
            running.enter_context(serve_slack(token=TOKEN, channel_id=CHANNEL_ID)),
        )
