from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias, cast

import pytest

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import AccessToken, Role, append_token, hash_token, remove_token
from chalicelib.domain.errors import NotFound, RuleBroken
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from tests.fakes import MemoryParameter, MemoryTokens

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

MADE_AT = datetime(2026, 1, 31, 8, 15, tzinfo=UTC)
NAME = "/ec2-inspec-scan/dev/api-tokens"

Tokens: TypeAlias = MemoryTokens | ParameterTokens


def make_token(name: str, role: Role = Role.VIEWER) -> AccessToken:
    return AccessToken(name, role, hash_token(name), MADE_AT)


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def ssm(server: AwsServer) -> Iterator["SSMClient"]:
    with closing(make_session().client("ssm", endpoint_url=server.url)) as client:
        yield client


@pytest.fixture(params=["memory", "parameter in memory", "parameter"])
def tokens(request: pytest.FixtureRequest, server: AwsServer, ssm: "SSMClient") -> Tokens:
    if request.param == "memory":
        return MemoryTokens()
    if request.param == "parameter in memory":
        return ParameterTokens(cast("SSMClient", MemoryParameter()), NAME)
    server.reset()
    return ParameterTokens(ssm, NAME)


def test_a_new_store_has_no_tokens(tokens: Tokens) -> None:
    assert tokens.all() == ()


@pytest.mark.parametrize("max_age", [0, 300])
def test_saved_tokens_are_read_at_once_and_in_their_order(tokens: Tokens, max_age: float) -> None:
    tokens.all()
    saved = (make_token("b", Role.OPERATOR), make_token("a"))

    tokens.change(lambda _: saved)

    assert tokens.all(max_age) == saved


def test_saving_replaces_the_stored_tokens(tokens: Tokens) -> None:
    tokens.change(lambda _: (make_token("a"), make_token("b")))

    tokens.change(lambda _: (make_token("b"),))
    assert tokens.all(0) == (make_token("b"),)

    tokens.change(lambda _: ())
    assert tokens.all(0) == ()


def test_a_change_returns_what_it_stored(tokens: Tokens) -> None:
    tokens.change(lambda _: (make_token("a"),))

    assert tokens.change(lambda stored: (*stored, make_token("b"))) == tokens.all(0)


def test_the_end_of_a_token_is_kept(tokens: Tokens) -> None:
    ends_at = datetime(2027, 2, 1, tzinfo=UTC)
    ending = AccessToken("a", Role.VIEWER, hash_token("a"), MADE_AT, ends_at)

    tokens.change(lambda _: (ending, make_token("b")))

    assert [token.ends_at for token in tokens.all(0)] == [ends_at, None]


def test_a_revoked_token_may_be_added_again_later(tokens: Tokens) -> None:
    tokens.change(lambda _: (make_token("a"),))
    tokens.change(lambda stored: remove_token(stored, "a"))

    tokens.change(lambda stored: append_token(stored, make_token("a")))

    assert tokens.all(0) == (make_token("a"),)


def test_a_change_that_raises_writes_nothing(tokens: Tokens) -> None:
    tokens.change(lambda _: (make_token("a"),))

    with pytest.raises(NotFound):
        tokens.change(lambda stored: remove_token(stored, "b"))
    with pytest.raises(RuleBroken):
        tokens.change(lambda stored: append_token(stored, make_token("a")))

    assert tokens.all(0) == (make_token("a"),)


def test_too_many_tokens_are_refused_with_the_number_that_fits(tokens: Tokens) -> None:
    many = tuple(make_token(f"{number:064}") for number in range(50))
    tokens.change(lambda _: (make_token("a"),))

    with pytest.raises(RuleBroken, match="51 tokens need") as refused:
        tokens.change(lambda stored: (*stored, *many))

    assert "a parameter holds 4,096: 20 of them fit. Revoke a token" in str(refused.value)
    assert many[0].sha256 not in str(refused.value)
    assert tokens.all(0) == (make_token("a"),)


def test_as_many_tokens_as_fit_are_stored(tokens: Tokens) -> None:
    many = tuple(make_token(f"{number:064}") for number in range(21))

    tokens.change(lambda _: many[:20])

    assert tokens.all(0) == many[:20]
    with pytest.raises(RuleBroken):
        tokens.change(lambda _: many)


def test_a_token_of_a_full_list_can_be_revoked(tokens: Tokens) -> None:
    many = tuple(make_token(f"{number:064}") for number in range(20))
    tokens.change(lambda _: many)

    for token in many:
        tokens.change(lambda stored, name=token.name: remove_token(stored, name))  # type: ignore[misc]

    assert tokens.all(0) == ()
