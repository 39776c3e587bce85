from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import AccessToken, Role, hash_token
from chalicelib.domain.errors import RuleBroken
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from tests.fakes import MemoryTokens

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

NAME = "/ec2-inspec-scan/dev/api-tokens"


def token(name: str, role: Role = Role.VIEWER) -> AccessToken:
    return AccessToken(name, role, hash_token(name), datetime(2026, 1, 31, 8, 15, tzinfo=UTC))


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def ssm(server: AwsServer) -> Iterator["SSMClient"]:
    with closing(make_session().client("ssm", endpoint_url=server.url)) as client:
        yield client


@pytest.fixture(params=["memory", "parameter"])
def tokens(
    request: pytest.FixtureRequest, server: AwsServer, ssm: "SSMClient"
) -> MemoryTokens | ParameterTokens:
    if request.param == "memory":
        return MemoryTokens()
    server.reset()
    return ParameterTokens(ssm, NAME)


def test_at_first_there_is_none(tokens: MemoryTokens | ParameterTokens) -> None:
    assert tokens.all() == ()


@pytest.mark.parametrize("max_age", [0, 300])
def test_what_is_saved_is_there_at_once_in_its_order(
    tokens: MemoryTokens | ParameterTokens, max_age: float
) -> None:
    tokens.all()
    saved = (token("b", Role.OPERATOR), token("a"))
    tokens.save(saved)
    assert tokens.all(max_age) == saved


def test_a_later_list_takes_the_place_of_the_one_before(
    tokens: MemoryTokens | ParameterTokens,
) -> None:
    tokens.save((token("a"), token("b")))
    tokens.save((token("b"),))
    assert tokens.all(0) == (token("b"),)
    tokens.save(())
    assert tokens.all(0) == ()


def test_as_many_are_taken_as_are_said_to_fit(tokens: MemoryTokens | ParameterTokens) -> None:
    many = tuple(token(f"{number:064}") for number in range(50))
    tokens.save((token("a"),))
    with pytest.raises(RuleBroken, match="50 tokens need") as told:
        tokens.save(many)
    assert "a parameter holds 4,096: 20 of them fit. Revoke a token" in str(told.value)
    assert many[0].sha256 not in str(told.value)
    assert tokens.all(0) == (token("a"),)
    tokens.save(many[:20])
    assert tokens.all(0) == many[:20]
    with pytest.raises(RuleBroken):
        tokens.save(many[:21])
