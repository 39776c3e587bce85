import argparse
import io
import re
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.access import AccessToken, Role, find_token, hash_token
from chalicelib.domain.errors import NotFound, RuleBroken
from ops import tokens
from tests.fakes import MemoryTokens

NOW = datetime(2026, 1, 31, 8, 15, 30, 123456, tzinfo=UTC)
CI = AccessToken("ci", Role.VIEWER, hash_token("eis_1"), NOW)
OPS = AccessToken("operations", Role.OPERATOR, hash_token("eis_2"), NOW)


def run(store: MemoryTokens, *arguments: str) -> str:
    parser = argparse.ArgumentParser()
    tokens.add_verbs(parser)
    out = io.StringIO()
    tokens.run_verb(parser.parse_args(arguments), store, out)
    return out.getvalue()


def test_tokens_are_long_and_never_repeat() -> None:
    generated = [tokens.generate_token() for _ in range(100)]

    assert len(set(generated)) == 100
    assert all(re.fullmatch(r"eis_[A-Za-z0-9_-]{43}", token) for token in generated)


def test_a_new_token_is_shown_and_only_its_hash_is_stored() -> None:
    store = MemoryTokens(CI)

    output = run(store, "add", "--name", "oncall", "--role", "operator")

    token = output.splitlines()[0]
    found = find_token(store.all(), token)
    assert found
    assert (found.name, found.role, found.ends_at) == ("oncall", Role.OPERATOR, None)
    assert output.count(token) == 1
    assert store.all()[-1].sha256 not in output
    assert "Authorization: Bearer" in output
    assert store.all()[0] == CI


def test_a_token_has_its_creation_time_in_whole_seconds() -> None:
    store = MemoryTokens()

    tokens.add_token(store, "ci", Role.VIEWER, NOW)

    (token,) = store.all()
    assert token.created_at == NOW.replace(microsecond=0)


def test_the_list_shows_names_roles_and_dates_but_no_hash() -> None:
    output = run(MemoryTokens(CI, OPS), "list")

    assert output.splitlines() == [
        "ci          viewer    2026-01-31 08:15:30 UTC",
        "operations  operator  2026-01-31 08:15:30 UTC",
    ]


def test_an_empty_list_explains_the_consequence() -> None:
    assert run(MemoryTokens(), "list") == "No tokens. The API refuses every caller.\n"


def test_a_revoked_token_is_removed() -> None:
    store = MemoryTokens(CI, OPS)

    assert "Revoked ci" in run(store, "revoke", "--name", "ci")

    assert store.all() == (OPS,)


def test_a_refused_verb_changes_nothing() -> None:
    store = MemoryTokens(CI)

    with pytest.raises(RuleBroken):
        run(store, "add", "--name", "ci", "--role", "viewer")
    with pytest.raises(NotFound):
        run(store, "revoke", "--name", "oncall")

    assert store.all() == (CI,)


@pytest.mark.parametrize(
    ("text", "ends_at"),
    [
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
        ("2028-02-29", datetime(2028, 3, 1, tzinfo=UTC)),
        ("2027-01-31T18:00:00Z", datetime(2027, 1, 31, 18, tzinfo=UTC)),
        ("2027-01-31T18:00:00+02:00", datetime(2027, 1, 31, 16, tzinfo=UTC)),
        ("2027-01-31T18:00:00.999Z", datetime(2027, 1, 31, 18, tzinfo=UTC)),
    ],
)
def test_an_end_is_the_end_of_a_day_in_utc_or_a_time(text: str, ends_at: datetime) -> None:
    parsed = tokens.parse_end(text)

    assert (parsed, parsed.tzinfo) == (ends_at, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "31.01.2027",
        "2027-02-29",
        "2027-01-31T18:00:00",
        "P30D",
        "1800000000",
        "9999-12-31",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_any_other_end_is_refused_with_an_example(text: str) -> None:
    store = MemoryTokens(CI)

    with pytest.raises(RuleBroken, match=r"--ends is .* such as 2027-01-31") as refused:
        run(store, "add", "--name", "guest", "--role", "viewer", "--ends", text)

    assert [fault.pointer for fault in refused.value.faults] == ["ends"]
    assert store.all() == (CI,)


def test_an_end_in_the_past_is_refused_and_nothing_is_written() -> None:
    store = MemoryTokens(CI)

    with pytest.raises(RuleBroken, match="The end must lie in the future") as refused:
        run(store, "add", "--name", "guest", "--role", "viewer", "--ends", "2020-01-31")

    assert [fault.pointer for fault in refused.value.faults] == ["ends_at"]
    assert store.all() == (CI,)


def test_a_token_with_an_end_is_stored_with_it() -> None:
    store = MemoryTokens()

    output = run(store, "add", "--name", "guest", "--role", "viewer", "--ends", "2999-01-31")

    (token,) = store.all()
    assert token.ends_at == datetime(2999, 2, 1, tzinfo=UTC)
    assert "It ends at 2999-02-01 00:00:00 UTC." in output


def test_the_list_shows_which_tokens_end_and_which_have_ended() -> None:
    ended = AccessToken("guest", Role.VIEWER, hash_token("a"), NOW, NOW + timedelta(days=1))
    ends = AccessToken("audit", Role.VIEWER, hash_token("b"), NOW, NOW.replace(year=2999))

    output = run(MemoryTokens(CI, ended, ends), "list")

    assert output.splitlines() == [
        "ci     viewer    2026-01-31 08:15:30 UTC",
        "guest  viewer    2026-01-31 08:15:30 UTC  ended 2026-02-01 08:15:30 UTC",
        "audit  viewer    2026-01-31 08:15:30 UTC  ends 2999-01-31 08:15:30 UTC",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("add", "--name", "ci"),
        ("add", "--role", "viewer"),
        ("add", "--name", "ci", "--role", "admin"),
        ("revoke",),
        ("rotate",),
    ],
)
def test_wrong_arguments_are_a_usage_error(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(MemoryTokens(), *arguments)

    assert "usage:" in capsys.readouterr().err
