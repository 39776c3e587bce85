"""AWS alone, for the tests of one adapter."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from botocore.config import Config

from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: AwsServer) -> Iterator["SSMClient"]:
    """An SSM client that tries once and serves eight threads."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 1}, max_pool_connections=8)
    with closing(make_session().client("ssm", endpoint_url=server.url, config=config)) as ssm:
        yield ssm


@pytest.fixture
def ssm(server: AwsServer, client: "SSMClient") -> "SSMClient":
    """The client, with nothing stored."""
    server.reset()
    return client
