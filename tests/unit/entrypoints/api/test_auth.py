"""The authorizer: who may call what, and what it logs about the others."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.access import AccessToken, Role, hash_token
from chalicelib.domain.errors import BadSetting, Unavailable
from chalicelib.entrypoints.api import auth
from tests.fakes import MemoryTokens
from tests.unit.entrypoints.api.authorizer import API, NOW, OPERATOR, TOKENS, VIEWER, Authorizer

# Authorization headers that no token matches.
REFUSED = [
    "",
    VIEWER,
    "Bearer",
    "Bearer ",
    f"Bearer{VIEWER}",
    f"Bearer\t{VIEWER}",
    f" Bearer {VIEWER}",
    f"Bearer {VIEWER} ",
    f"Bearer {VIEWER}\n",
    f"Bearer {VIEWER} {VIEWER}",
    f"Bearer {VIEWER},Bearer {VIEWER}",
    f"Bearer {VIEWER[:-1]}",
    f"Bearer {VIEWER}x",
    f"Bearer {VIEWER.upper()}",
    f"Bearer {hash_token(VIEWER)}",
    f"Basic {VIEWER}",
    f"Token {VIEWER}",
    "Bearer é",
    "Bearer \udce9",
    "Bearer *",
    None,
    7,
    ["Bearer", VIEWER],
]


class UnreadableTokens:
    """Tokens that cannot be read."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def all(self, max_age: float = 0) -> tuple[AccessToken, ...]:  # noqa: ARG002 - same signature
        raise self._error


class OutdatedTokens:
    """A cached list of tokens without the newest ones. `ages` are the ages that were accepted."""

    def __init__(self) -> None:
        self.ages: list[float | None] = []

    def all(self, max_age: float | None = None) -> tuple[AccessToken, ...]:
        self.ages.append(max_age)
        return () if max_age is None else TOKENS.all()


def list_resources(policy: dict[str, Any]) -> list[str]:
    """Lists the methods and paths that a policy allows."""
    (statement,) = policy["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    arns: list[str] = statement["Resource"]
    return arns


def test_a_viewer_may_read_everything() -> None:
    policy = Authorizer().authorize(f"Bearer {VIEWER}")

    assert list_resources(policy) == [f"{API}/GET/v1/*", f"{API}/POST/v1/snoozes/preview"]
    assert (policy["principalId"], policy["context"]) == ("ci", {"role": "viewer"})


def test_an_operator_may_also_write_everything() -> None:
    policy = Authorizer().authorize(f"Bearer {OPERATOR}")

    methods = ("GET", "POST", "PUT", "PATCH", "DELETE")
    assert list_resources(policy)[:-1] == [f"{API}/{method}/v1/*" for method in methods]
    assert (policy["principalId"], policy["context"]) == ("oncall", {"role": "operator"})


def test_the_policy_is_the_same_for_every_route() -> None:
    authorizer = Authorizer()
    routes = ["GET/v1/findings", "DELETE/v1/snoozes/1", "GET/"]

    policies = [authorizer.authorize(f"Bearer {VIEWER}", route) for route in routes]

    assert policies[0] == policies[1] == policies[2]


def test_an_accepted_request_is_not_logged() -> None:
    authorizer = Authorizer()

    authorizer.authorize(f"Bearer {VIEWER}")

    assert authorizer.log_lines == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer  "])
def test_the_case_of_the_scheme_does_not_matter(scheme: str) -> None:
    assert Authorizer().authorize(f"{scheme} {VIEWER}")["principalId"] == "ci"


@pytest.mark.parametrize("header", REFUSED)
def test_any_other_header_is_refused_in_the_same_way_and_never_logged(header: Any) -> None:
    authorizer = Authorizer()

    policy = authorizer.authorize(header)

    assert list_resources(policy) == []
    assert (policy["principalId"], policy["context"]) == ("nobody", {})
    assert [line["level"] for line in authorizer.log_lines] in (["WARNING"], ["ERROR"])
    assert VIEWER[4:] not in authorizer.log_text
    assert hash_token(VIEWER) not in authorizer.log_text


def test_the_log_says_why_a_request_was_refused() -> None:
    authorizer = Authorizer()

    authorizer.authorize("Basic x")
    authorizer.authorize("Bearer wrong")

    assert [line["why"] for line in authorizer.log_lines] == [
        "the Authorization header is not of the form Bearer <token>",
        "unknown token",
    ]


def test_if_no_token_exists_everybody_is_refused_and_the_log_says_what_to_do() -> None:
    authorizer = Authorizer(MemoryTokens())

    assert list_resources(authorizer.authorize(f"Bearer {VIEWER}")) == []
    assert authorizer.log_lines[0]["why"] == "no token exists; add one: make token"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (Unavailable("SSM did not answer"), "SSM did not answer"),
        (BadSetting("API_TOKENS_PARAMETER", "mend it"), "setting API_TOKENS_PARAMETER: mend it"),
        (KeyError(VIEWER), "KeyError"),
        (RecursionError(f"at {VIEWER}"), "RecursionError"),
    ],
)
def test_any_error_refuses_the_request_and_is_logged_without_the_token(
    error: Exception, why: str
) -> None:
    authorizer = Authorizer(UnreadableTokens(error))

    assert list_resources(authorizer.authorize(f"Bearer {VIEWER}")) == []
    (line,) = authorizer.log_lines
    assert (line["level"], line["why"]) == ("ERROR", why)
    assert VIEWER not in authorizer.log_text


def test_a_bug_is_logged_with_its_place() -> None:
    authorizer = Authorizer(UnreadableTokens(ValueError("x")))

    authorizer.authorize(f"Bearer {VIEWER}")

    assert "test_auth.py:" in authorizer.log_lines[0]["where"]


def test_a_runtime_that_cannot_be_built_refuses_every_request() -> None:
    def fail_to_build() -> auth.Tokens:
        raise BadSetting("FINDINGS_TABLE", "is missing")

    authorizer = Authorizer()
    authorizer.tokens = fail_to_build

    assert list_resources(authorizer.authorize(f"Bearer {VIEWER}")) == []
    assert authorizer.log_lines[0]["why"] == "setting FINDINGS_TABLE: is missing"


def test_a_token_that_a_cached_list_lacks_is_looked_up_in_a_fresh_one() -> None:
    tokens = OutdatedTokens()

    policy = Authorizer(tokens).authorize(f"Bearer {VIEWER}")

    assert policy["principalId"] == "ci"
    assert tokens.ages == [None, auth.REFUSAL_AGE]


def test_a_token_is_accepted_until_its_end_and_refused_from_then_on() -> None:
    ends_at = NOW + timedelta(days=1)
    authorizer = Authorizer(
        MemoryTokens(AccessToken("ci", Role.VIEWER, hash_token(VIEWER), NOW, ends_at))
    )

    authorizer.now = ends_at - timedelta(microseconds=1)
    assert authorizer.authorize(f"Bearer {VIEWER}")["principalId"] == "ci"

    authorizer.now = ends_at
    policy = authorizer.authorize(f"Bearer {VIEWER}")
    assert (policy["principalId"], policy["context"]) == ("nobody", {})
    assert list_resources(policy) == []
    assert [line["why"] for line in authorizer.log_lines] == ["token ci has ended"]
