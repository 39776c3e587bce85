"""The authorizer allows only known tokens, and logs none."""

import io
import json
from typing import Any

from aws_lambda_powertools import Logger
from chalice.app import AuthRequest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.access import AccessToken, Role, hash_token
from chalicelib.entrypoints.api import auth
from tests.fakes import MemoryTokens
from tests.fuzz.strategies import FUZZ, JSON, RAW_TEXT
from tests.fuzz.values import AT

VIEWER, OPERATOR = "eis_viewer-Token_1", "eis_operator-Token_2"
API = "arn:aws:execute-api:eu-central-1:123456789012:abcdef1234/api"
PREVIEW = f"{API}/POST/v1/snoozes/preview"
ALLOWED = {
    VIEWER: ("ci", "viewer", [f"{API}/GET/v1/*", PREVIEW]),
    OPERATOR: (
        "oncall",
        "operator",
        [*(f"{API}/{each}/v1/*" for each in ("GET", "POST", "PUT", "PATCH", "DELETE")), PREVIEW],
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


@st.composite
def draw_header(draw: st.DrawFn) -> Any:
    """Draws an Authorization header: a valid one, almost one, or anything else."""
    token = draw(st.sampled_from((VIEWER, OPERATOR)) | RAW_TEXT)
    scheme = draw(st.sampled_from(("Bearer", "bearer", "BEARER", "Basic", "", "Bearer Bearer")))
    between = draw(st.sampled_from((" ", " ", "  ", "", "\t", "\u00a0", "\n", "\x00")))
    header = f"{scheme}{between}{token}"
    match draw(st.sampled_from(("whole", "whole", "changed", "wrapped", "other"))):
        case "changed":
            at = draw(st.integers(0, len(header)))
            return header[:at] + draw(RAW_TEXT) + header[at + draw(st.integers(0, 1)) :]
        case "wrapped":
            return draw(RAW_TEXT) + header + draw(RAW_TEXT)
        case "other":
            return draw(st.one_of(JSON, RAW_TEXT, st.binary()))
    return header


def check_header(presented: tuple[Any, str]) -> None:
    """A header and a path get the response of the token, or a refusal."""
    header, path = presented
    STREAM.seek(0)
    STREAM.truncate()
    request = AuthRequest("TOKEN", header, f"{API}/GET/v1/{path}")
    response = auth.authorize_with(request, lambda: TOKENS, AT, lambda: LOG).to_dict(request)
    lines = [json.loads(line) for line in STREAM.getvalue().splitlines()]
    known = find_token(header)
    name, role, resources = ALLOWED[known] if known else ("nobody", None, [])
    assert response == {
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


def find_token(header: Any) -> str | None:
    """Returns the known token that a header presents."""
    if not isinstance(header, str) or header[:7].lower().encode("utf-8", "replace") != b"bearer ":
        return None
    presented = header[7:].lstrip(" ")
    return presented if presented in ALLOWED else None


def check_line(line: dict[str, Any], *, is_text: bool) -> None:
    """The log line does not depend on the content of the header, so it cannot hold a token."""
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


@given(st.tuples(draw_header(), RAW_TEXT))
@example((f"bearer  {OPERATOR}", ""))
@example((f"Bearer {VIEWER}\n", "a:b/c"))
@example((None, ""))
@FUZZ
def test_only_a_known_token_is_allowed_and_none_is_printed(presented: tuple[Any, str]) -> None:
    check_header(presented)
