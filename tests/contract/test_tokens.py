from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

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

Tokens: TypeAlias = MemoryTokens | ParameterTokens


def make_token(name: str, role: Role = Role.VIEWER) -> AccessToken:
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
def tokens(request: pytest.FixtureRequest, server: AwsServer, ssm: "SSMClient") -> Tokens:
    if request.param == "memory":
        return MemoryTokens()
    server.reset()
    return ParameterTokens(ssm, NAME)


def test_a_new_store_has_no_tokens(tokens: Tokens) -> None:
    assert tokens.all() == ()


@pytest.mark.parametrize("max_age", [0, 300])
def test_saved_tokens_are_read_at_once_and_in_their_order(tokens: Tokens, max_age: float) -> None:
    tokens.all()
    saved = (make_token("b", Role.OPERATOR), make_token("a"))

    tokens.save(saved)

    assert tokens.all(max_age) == saved


def test_saving_replaces_the_stored_tokens(tokens: Tokens) -> None:
    tokens.save((make_token("a"), make_token("b")))

    tokens.save((make_token("b"),))
    assert tokens.all(0) == (make_token("b"),)

    tokens.save(())
    assert tokens.all(0) == ()


def test_too_many_tokens_are_refused_with_the_number_that_fits(tokens: Tokens) -> None:
    many = tuple(make_token(f"{number:064}") for number in range(50))
    tokens.save((make_token("a"),))

    with pytest.raises(RuleBroken, match="50 tokens need") as refused:
        tokens.save(many)

    assert "a parameter holds 4,096: 20 of them fit. Revoke a token" in str(refused.value)
    assert many[0].sha256 not in str(refused.value)
    assert tokens.all(0) == (make_token("a"),)


def test_as_many_tokens_as_fit_are_stored(tokens: Tokens) -> None:
    many = tuple(make_token(f"{number:064}") for number in range(21))

    tokens.save(many[:20])

    assert tokens.all(0) == many[:20]
    with pytest.raises(RuleBroken):
        tokens.save(many)
