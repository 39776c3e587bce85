import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from chalicelib.adapters.access_tokens import MAX_AGE, ParameterTokens
from chalicelib.domain.access import AccessToken, Role, hash_token
from chalicelib.domain.errors import BadSetting, Conflict, Forbidden, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

NAME = "/ec2-inspec-scan/dev/api-tokens"
TOKEN = AccessToken("ci", Role.VIEWER, hash_token("eis_1"), datetime(2026, 1, 31, 8, tzinfo=UTC))
ENDS_AT = datetime(2027, 2, 1, tzinfo=UTC)
ROW = {
    "name": "ci",
    "role": "viewer",
    "sha256": TOKEN.sha256,
    "created_at": "2026-01-31T08:00:00Z",
}


class FakeTimer:
    """A monotonic clock in seconds that stands still until a test moves it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def store(ssm: "SSMClient", value: str) -> None:
    ssm.put_parameter(Name=NAME, Value=value, Type="SecureString", Overwrite=True)


def test_tokens_are_stored_as_the_documented_json_in_a_secure_string(ssm: "SSMClient") -> None:
    ParameterTokens(ssm, NAME).change(lambda _: (TOKEN,))
    stored = ssm.get_parameter(Name=NAME, WithDecryption=True)["Parameter"]

    assert stored["Type"] == "SecureString"
    assert json.loads(stored["Value"]) == {"tokens": [ROW]}


def test_ends_and_the_last_revocations_are_stored_too(ssm: "SSMClient") -> None:
    ending = AccessToken("guest", Role.VIEWER, TOKEN.sha256, TOKEN.created_at, ENDS_AT)
    other = AccessToken("other", Role.VIEWER, hash_token("eis_2"), TOKEN.created_at)
    tokens = ParameterTokens(ssm, NAME)

    tokens.change(lambda _: (ending, other))
    tokens.change(lambda stored: stored[:1])

    stored = ssm.get_parameter(Name=NAME, WithDecryption=True)["Parameter"]
    assert json.loads(stored["Value"]) == {
        "tokens": [{**ROW, "name": "guest", "ends_at": "2027-02-01T00:00:00Z"}],
        "revoked": [other.sha256],
    }


def test_a_time_with_another_offset_is_read_as_utc(ssm: "SSMClient") -> None:
    store(ssm, json.dumps({"tokens": [{**ROW, "created_at": "2026-01-31T09:00:00+01:00"}]}))
    (token,) = ParameterTokens(ssm, NAME).all()

    assert (token, token.created_at.tzinfo) == (TOKEN, UTC)


@pytest.mark.parametrize(
    "content",
    [
        "secret",
        "[]",
        "{}",
        '{"tokens": {}}',
        json.dumps({"tokens": [ROW], "version": "secret"}),
        json.dumps({"tokens": [ROW, {**ROW, "role": "secret"}]}),
        json.dumps({"tokens": [ROW, {**ROW, "name": "se cret"}]}),
        json.dumps({"tokens": [ROW, {**ROW, "name": "secret\n"}]}),
        json.dumps({"tokens": [ROW, {**ROW, "sha256": "secret"}]}),
        json.dumps({"tokens": [ROW, {**ROW, "sha256": TOKEN.sha256.upper()}]}),
        json.dumps({"tokens": [ROW, {**ROW, "sha256": f"{TOKEN.sha256}\n"}]}),
        json.dumps({"tokens": [ROW, {**ROW, "created_at": "2026-01-31T08:00:00"}]}),
        json.dumps({"tokens": [ROW, {**ROW, "secret": 1}]}),
        json.dumps({"tokens": [ROW, {**ROW, "ends_at": "2026-01-31T08:00:00"}]}),
        json.dumps({"tokens": [ROW, {**ROW, "ends_at": "secret"}]}),
        json.dumps({"tokens": [ROW], "revoked": ["secret"]}),
        json.dumps({"tokens": [ROW, {key: ROW[key] for key in ("name", "role", "sha256")}]}),
    ],
)
def test_a_malformed_list_is_a_bad_setting_and_is_not_quoted(
    ssm: "SSMClient", content: str
) -> None:
    store(ssm, content)

    with pytest.raises(BadSetting) as raised:
        ParameterTokens(ssm, NAME).all()

    assert str(raised.value) == (
        "setting API_TOKENS_PARAMETER: its parameter does not hold a list of tokens; "
        "delete it and add each token again"
    )
    assert (raised.value.__cause__, raised.value.__suppress_context__) == (None, True)


def test_a_blank_parameter_is_an_empty_list(ssm: "SSMClient") -> None:
    store(ssm, " \n")
    assert ParameterTokens(ssm, NAME).all() == ()


def test_the_list_is_cached_for_five_minutes_or_for_a_shorter_requested_time(
    ssm: "SSMClient",
) -> None:
    timer = FakeTimer()
    tokens = ParameterTokens(ssm, NAME, timer)
    assert tokens.all() == ()

    store(ssm, json.dumps({"tokens": [ROW]}))
    timer.now += MAX_AGE - 1
    assert tokens.all() == ()
    assert tokens.all(MAX_AGE - 1) == (TOKEN,)

    store(ssm, json.dumps({"tokens": []}))
    assert tokens.all() == (TOKEN,)

    timer.now += MAX_AGE
    assert tokens.all() == ()


def test_a_failed_read_is_not_cached(ssm: "SSMClient") -> None:
    tokens = ParameterTokens(ssm, NAME)
    with Stubber(ssm) as stub:
        stub.add_client_error("get_parameter", "ThrottlingException")
        with pytest.raises(Unavailable):
            tokens.all()

    store(ssm, json.dumps({"tokens": [ROW]}))

    assert tokens.all() == (TOKEN,)


def test_a_failed_write_is_not_cached(ssm: "SSMClient") -> None:
    tokens = ParameterTokens(ssm, NAME)
    tokens.all()

    with Stubber(ssm) as stub:
        stub.add_client_error("get_parameter", "ParameterNotFound")
        stub.add_client_error("put_parameter", "AccessDeniedException")
        with pytest.raises(Forbidden, match=f"{NAME} of API_TOKENS_PARAMETER"):
            tokens.change(lambda _: (TOKEN,))

    assert tokens.all() == ()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", Forbidden),
        ("KMSAccessDeniedException", Forbidden),
        ("InternalServerError", Unavailable),
    ],
)
def test_an_aws_error_becomes_a_domain_error(ssm: "SSMClient", code: str, kind: Any) -> None:
    with Stubber(ssm) as stub:
        stub.add_client_error("get_parameter", code)
        with pytest.raises(kind, match=f"{NAME} of API_TOKENS_PARAMETER"):
            ParameterTokens(ssm, NAME).all()


def test_if_what_was_written_over_cannot_be_read_the_error_says_what_to_do(
    ssm: "SSMClient",
) -> None:
    tokens = ParameterTokens(ssm, NAME, pause=lambda _: None)
    tokens.change(lambda _: (TOKEN,))

    def let_another_write_nonsense(stored: tuple[AccessToken, ...]) -> tuple[AccessToken, ...]:
        store(ssm, "secret")
        return stored[:0]

    with pytest.raises(Conflict, match=r"at the same time.*List the tokens, and repeat") as raised:
        tokens.change(let_another_write_nonsense)

    assert "secret" not in str(raised.value)


def test_the_versions_of_ssm_tell_that_another_writer_was_faster(ssm: "SSMClient") -> None:
    first, second = (ParameterTokens(ssm, NAME, pause=lambda _: None) for _ in range(2))
    other = AccessToken("other", Role.VIEWER, hash_token("eis_2"), TOKEN.created_at)
    first.change(lambda _: (TOKEN,))

    def let_another_revoke(stored: tuple[AccessToken, ...]) -> tuple[AccessToken, ...]:
        second.change(lambda _: ())
        return (*stored, other)

    assert first.change(let_another_revoke) == (other,)
    assert second.all(0) == (other,)
