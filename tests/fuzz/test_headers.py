"""The authorizer: nobody is let in but by a token, and no token is repeated."""

import io
import json
from typing import Any

from aws_lambda_powertools import Logger
from chalice.app import AuthRequest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.domain.access import AccessToken, Role, hash_token
from chalicelib.entrypoints.api import auth
from tests.effort import examples
from tests.fakes import MemoryTokens
from tests.fuzz.inputs import AT, OPERATOR, RAW_TEXT, VIEWER, headers

API = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/api"
ALLOWED = {
    VIEWER: ("ci", "viewer", [f"{API}/GET/v1/*"]),
    OPERATOR: (
        "oncall",
        "operator",
        [f"{API}/{method}/v1/*" for method in ("GET", "POST", "PUT", "PATCH", "DELETE")],
    ),
}
TOKENS = MemoryTokens(
    AccessToken("ci", Role.VIEWER, hash_token(VIEWER), AT),
    AccessToken("oncall", Role.OPERATOR, hash_token(OPERATOR), AT),
)
REFUSALS = ("unknown token", "the Authorization header is not of the form Bearer <token>")
STREAM = io.StringIO()
LOG = Logger(service="fuzz", stream=STREAM)
LOGGED = {"level", "location", "message", "timestamp", "service", "why", "where"}


def check_header(asked: tuple[Any, str]) -> None:
    """A header and a path: the answer is that of the token, and nobody's where there is none."""
    header, path = asked
    STREAM.seek(0)
    STREAM.truncate()
    request = AuthRequest("TOKEN", header, f"{API}/GET/v1/{path}")
    answer = auth.authorize_with(request, lambda: TOKENS, lambda: LOG).to_dict(request)
    lines = [json.loads(line) for line in STREAM.getvalue().splitlines()]
    known = token_in(header)
    name, role, resources = ALLOWED[known] if known else ("nobody", None, [])
    assert answer == {
        "context": {"role": role} if role else {},
        "principalId": name,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resources}
            ],
        },
    }
    assert len(lines) == (0 if known else 1)
    for line in lines:
        check_line(line, is_text=isinstance(header, str))


def token_in(header: Any) -> str | None:
    """The known token that a header presents."""
    if not isinstance(header, str) or header[:7].lower().encode("utf-8", "replace") != b"bearer ":
        return None
    presented = header[7:].lstrip(" ")
    return presented if presented in ALLOWED else None


def check_line(line: dict[str, Any], *, is_text: bool) -> None:
    """Nothing in the log depends on what the header holds, so it cannot repeat a token."""
    assert line.keys() <= LOGGED
    assert line["location"].startswith("authorize_with:")
    assert line["service"] == "fuzz"
    if is_text:
        assert (line["level"], line["message"]) == ("WARNING", "request refused")
        assert line["why"] in REFUSALS
    else:
        assert (line["level"], line["why"]) == ("ERROR", "TypeError")
        assert line["message"] == "authorizer failed, request refused"
        assert line["where"].partition("auth.py:")[2].isdecimal()


@given(st.tuples(headers(), RAW_TEXT))
@example((f"bearer  {OPERATOR}", ""))
@example((f"Bearer {VIEWER}\n", "a:b/c"))
@example((None, ""))
@settings(
    max_examples=examples(300, soak=10_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_only_a_known_token_is_let_in_and_none_is_repeated(asked: tuple[Any, str]) -> None:
    check_header(asked)
