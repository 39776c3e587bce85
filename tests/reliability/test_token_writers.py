"""Several people change the API's tokens at the same time, in any order of their calls."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, TypeAlias, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters import access_tokens
from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import AccessToken, Role, append_token, hash_token, remove_token
from chalicelib.domain.errors import Conflict, NotFound, RuleBroken
from tests.fakes import MemoryParameter
from tests.reliability.interleaving import Program, interleave

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

AT = datetime(2026, 1, 31, 8, tzinfo=UTC)
NAME = "tokens"


def make_token(name: str) -> AccessToken:
    return AccessToken(name, Role.VIEWER, hash_token(name), AT)


LEAKED, KEPT = make_token("leaked"), make_token("kept")


def open_store(
    parameter: MemoryParameter, pause: Callable[[int], None] = lambda _: None
) -> ParameterTokens:
    return ParameterTokens(cast("SSMClient", parameter), NAME, pause=pause)


def list_names(parameter: MemoryParameter) -> set[str]:
    return {token.name for token in open_store(parameter).all()}


Change: TypeAlias = Callable[[ParameterTokens], object]


class Writer:
    """A person with a client of their own, who makes one change call by call.

    `patience` is how many turns they pass after an attempt that failed, times the attempts.
    """

    def __init__(self, parameter: MemoryParameter, change: Change, patience: int) -> None:
        self._client = MemoryParameter()
        self._client.versions = parameter.versions
        self._change = change
        self._patience = patience
        self.error: Exception | None = None
        self.program = Program(self._run)
        self._client.before_call = self.program.wait_for_turn

    def _run(self) -> None:
        try:
            self._change(open_store(self._client, self._pause))
        except (Conflict, NotFound, RuleBroken) as error:
            self.error = error

    def _pause(self, attempt: int) -> None:
        for _ in range(attempt * self._patience):
            self.program.wait_for_turn()


def add(name: str) -> Change:
    return lambda store: store.change(lambda tokens: append_token(tokens, make_token(name)))


def revoke(name: str) -> Change:
    return lambda store: store.change(lambda tokens: remove_token(tokens, name))


def run_writers(
    parameter: MemoryParameter,
    changes: Sequence[Change],
    schedule: Sequence[int],
) -> list[Exception | None]:
    """Makes the changes in this order of calls, and returns the error of each."""
    writers = [Writer(parameter, change, number) for number, change in enumerate(changes)]
    interleave([writer.program for writer in writers], schedule)
    return [writer.error for writer in writers]


def store_tokens(*tokens: AccessToken) -> MemoryParameter:
    parameter = MemoryParameter()
    open_store(parameter).change(lambda _: tokens)
    return parameter


def list_schedules(programs: int, calls: int) -> Iterator[tuple[int, ...]]:
    return product(range(programs), repeat=calls)


def test_a_revoked_token_stays_revoked_and_an_added_one_stays_in_every_order_of_two_writers() -> (
    None
):
    for schedule in list_schedules(programs=2, calls=8):
        parameter = store_tokens(LEAKED, KEPT)

        errors = run_writers(parameter, [revoke("leaked"), add("new")], schedule)

        assert errors == [None, None], schedule
        assert list_names(parameter) == {"kept", "new"}, schedule


def test_two_first_tokens_are_both_stored_in_every_order() -> None:
    for schedule in list_schedules(programs=2, calls=7):
        parameter = MemoryParameter()

        errors = run_writers(parameter, [add("one"), add("two")], schedule)

        assert errors == [None, None], schedule
        assert list_names(parameter) == {"one", "two"}, schedule


def test_of_two_new_tokens_with_one_name_the_second_is_refused_in_every_order() -> None:
    for schedule in list_schedules(programs=2, calls=7):
        parameter = store_tokens(KEPT)
        other = AccessToken("new", Role.OPERATOR, hash_token("other"), AT)

        def add_other(store: ParameterTokens, other: AccessToken = other) -> object:
            return store.change(lambda tokens: append_token(tokens, other))

        errors = run_writers(parameter, [add("new"), add_other], schedule)

        assert [type(error) for error in errors if error] == [RuleBroken], schedule
        winner = make_token("new") if errors[0] is None else other
        assert open_store(parameter).all() == (KEPT, winner), schedule


def test_a_token_that_is_revoked_while_it_is_added_does_not_return() -> None:
    for schedule in list_schedules(programs=2, calls=8):
        parameter = store_tokens(KEPT)

        errors = run_writers(parameter, [add("new"), revoke("new")], schedule)

        assert errors[0] is None, schedule
        is_revoked = errors[1] is None
        assert list_names(parameter) == ({"kept"} if is_revoked else {"kept", "new"}), schedule


@given(st.lists(st.integers(0, 3), max_size=40))
def test_nothing_is_lost_among_four_writers(schedule: list[int]) -> None:
    parameter = store_tokens(LEAKED, KEPT, make_token("old"))
    changes = [revoke("leaked"), add("one"), revoke("old"), add("two")]

    errors = run_writers(parameter, changes, schedule)

    assert errors == [None] * 4
    assert list_names(parameter) == {"kept", "one", "two"}


@given(st.lists(st.integers(0, 2), max_size=30))
def test_a_token_that_does_not_fit_any_more_is_refused_and_the_revocation_stays(
    schedule: list[int],
) -> None:
    room = access_tokens.MOST_BYTES // 205
    many = [make_token(f"{number:064}") for number in range(room - 1)]
    parameter = store_tokens(LEAKED, *many)
    changes = [add("a" * 64), revoke("leaked"), add("b" * 64)]

    errors = run_writers(parameter, changes, schedule)

    assert errors[1] is None
    names = list_names(parameter)
    assert "leaked" not in names
    assert {token.name for token in many} <= names
    assert not names & {key * 64 for key, error in zip("a-b", errors, strict=True) if error}


def test_a_deleted_parameter_that_is_written_again_is_named() -> None:
    parameter = store_tokens(LEAKED, KEPT)

    def delete_before_writing(tokens: tuple[AccessToken, ...]) -> tuple[AccessToken, ...]:
        parameter.versions.clear()
        return append_token(tokens, make_token("new"))

    with pytest.raises(Conflict, match="deleted the parameter tokens at the same time"):
        open_store(parameter).change(delete_before_writing)
