"""Parameter Store: keeps the API's tokens as JSON in one SecureString.

The JSON is `{"tokens": [{"name", "role", "sha256", "created_at", "ends_at"}], "revoked": [hash]}`.
`ends_at` and `revoked` may be missing. `revoked` has the hashes of the tokens that the last
write removed.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import msgspec

from chalicelib.aws import translate_errors
from chalicelib.domain.access import (
    NAME_FORM,
    AccessToken,
    Role,
    TokenChange,
    TokenList,
    apply_change,
    compare_tokens,
    merge_lists,
    withdraw_additions,
)
from chalicelib.domain.errors import BadSetting, Conflict, Forbidden, RuleBroken, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_ssm import SSMClient

# Seconds. A revoked token is refused after this time at the latest.
MAX_AGE: Final = 300
# Bytes. The limit of a standard parameter (Systems Manager user guide, parameter tiers).
MOST_BYTES: Final = 4096
# Attempts at one change. Each that fails means that another writer was first.
MOST_WRITES: Final = 50
# Seconds between two attempts, at most: after the first one, and after any.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 3.0
_SETTING: Final = "API_TOKENS_PARAMETER"
_BUSY: Final = (
    "The tokens change all the time, and some changes may be lost. List them, and repeat yours."
)

Tokens: TypeAlias = tuple[AccessToken, ...]
_Hash: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    name: Annotated[str, msgspec.Meta(pattern=rf"\A{NAME_FORM}\Z")]
    role: Role
    sha256: _Hash
    created_at: Annotated[datetime, msgspec.Meta(tz=True)]
    ends_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    tokens: tuple[_Row, ...]
    revoked: tuple[_Hash, ...] = ()


def _pause(attempt: int) -> None:
    """Waits for a random time, so that writers who met do not meet again."""
    time.sleep(random.uniform(0, min(LONGEST_PAUSE, attempt * FIRST_PAUSE)))  # noqa: S311 - no secret


class ParameterTokens:
    """The tokens in the SSM parameter `parameter`, which need not exist. Cached after reading."""

    def __init__(
        self,
        client: SSMClient,
        parameter: str,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[int], None] = _pause,
    ) -> None:
        self._client = client
        self._parameter = parameter
        self._clock = clock
        self._pause = pause
        self._cached: tuple[float, str] | None = None

    def all(self, max_age: float = MAX_AGE) -> Tokens:
        """Returns the tokens as they were at most `max_age` seconds ago.

        There are none if the parameter is missing or empty. Raises `BadSetting` if
        any part of the list is malformed: the rest must not let anybody in.
        """
        now = self._clock()
        if self._cached is None or now - self._cached[0] >= max_age:
            self._cached = (now, self._read()[1])
        return decode_list(self._cached[1]).tokens

    def change(self, alter: Callable[[Tokens], Tokens]) -> Tokens:
        """Replaces the stored tokens by what `alter` makes of them, and returns the result.

        Nothing changes if `alter` raises, if the result does not fit (`RuleBroken`), or if a
        new token breaks a rule because of what others wrote at the same time. `Conflict` says
        that what others wrote could not be restored.

        SSM has no conditional write, but it numbers the versions. If our version is not the
        next after the one that we read, we wrote over the versions between. Then we read
        these, join them with ours and write again, until the numbers follow.
        """
        number, newest = self._read_list()
        known = TokenList(newest.tokens)
        change = compare_tokens(known.tokens, alter(known.tokens))
        wanted = apply_change(known, change)
        written = self._write(wanted)
        if written == number + 1:
            return wanted.tokens
        return self._repair(known, change, number, written)

    def _repair(self, known: TokenList, change: TokenChange, read: int, written: int) -> Tokens:
        """Restores the versions between `read` and `written`; `Conflict` if it cannot."""
        try:
            return self._join_versions(known, change, read, written)
        except (BadSetting, Forbidden, Unavailable) as error:
            raise Conflict(
                "Somebody changed the tokens at the same time, and that change may be lost: "
                f"{error}. List the tokens, and repeat what is missing."
            ) from error

    def _join_versions(
        self, known: TokenList, change: TokenChange, read: int, written: int
    ) -> Tokens:
        refused: RuleBroken | None = None
        for attempt in range(MOST_WRITES):
            if written <= read:
                raise Conflict(
                    f"Somebody deleted the parameter {self._parameter} at the same time, and the "
                    "tokens are there again. Delete it again if they must go."
                )
            self._pause(attempt)
            number, newest = self._read_list()
            if number < written:
                # SSM does not show our own version yet
                continue
            between = [self._read_list(each)[1] for each in range(read + 1, number)]
            known = merge_lists(known, [*between, newest])
            try:
                wanted = apply_change(known, change)
                encode_list(wanted)
            except RuleBroken as error:
                # what was written over must be restored all the same
                refused = error if change.added else refused
                change = withdraw_additions(change)
                wanted = _trim(apply_change(known, change))
            read, written = number, self._write(wanted)
            if written == read + 1:
                if refused:
                    raise refused
                return wanted.tokens
        raise Conflict(_BUSY)

    def _read_list(self, version: int | None = None) -> tuple[int, TokenList]:
        number, text = self._read(version)
        return number, decode_list(text)

    def _read(self, version: int | None = None) -> tuple[int, str]:
        """Returns the number and the text of a version, the newest by default; 0 if missing."""
        name = self._parameter if version is None else f"{self._parameter}:{version}"
        with translate_errors("SSM", f"the parameter {name} of {_SETTING}"):
            try:
                response = self._client.get_parameter(Name=name, WithDecryption=True)
            except self._client.exceptions.ParameterNotFound:
                return 0, ""
            return response["Parameter"]["Version"], response["Parameter"]["Value"]

    def _write(self, tokens: TokenList) -> int:
        """Writes a version and returns its number."""
        text = encode_list(tokens)
        with translate_errors("SSM", f"the parameter {self._parameter} of {_SETTING}"):
            response = self._client.put_parameter(
                Name=self._parameter, Value=text, Type="SecureString", Overwrite=True
            )
            self._cached = (self._clock(), text)
            return response["Version"]


def decode_list(text: str) -> TokenList:
    """Parses the JSON; `BadSetting` if it is not a list of tokens."""
    if not text.strip():
        return TokenList()
    try:
        content = msgspec.json.decode(text, type=_Content)
    except msgspec.DecodeError:
        # no cause: msgspec quotes the value that it refuses, and this one is a secret
        raise BadSetting(
            _SETTING,
            "its parameter does not hold a list of tokens; delete it and add each token again",
        ) from None
    return TokenList(tuple(map(_read_row, content.tokens)), frozenset(content.revoked))


def _read_row(row: _Row) -> AccessToken:
    ends_at = None if row.ends_at is None else row.ends_at.astimezone(UTC)
    return AccessToken(row.name, row.role, row.sha256, row.created_at.astimezone(UTC), ends_at)


def encode_list(content: TokenList) -> str:
    """Builds the JSON; `RuleBroken` if it exceeds a standard parameter."""
    encoded = _encode_json(content)
    if len(encoded) > MOST_BYTES:
        fitting = len(_trim(content).tokens)
        raise RuleBroken(
            f"{len(content.tokens)} tokens need {len(encoded):,} bytes, but a parameter holds "
            f"{MOST_BYTES:,}: {fitting} of them fit. Revoke a token, or use shorter names."
        )
    return encoded.decode()


def _trim(content: TokenList) -> TokenList:
    """Returns the list with as many of its first tokens as fit."""
    numbers = range(len(content.tokens), -1, -1)
    shorter = (TokenList(content.tokens[:number], content.revoked) for number in numbers)
    return next(each for each in shorter if len(_encode_json(each)) <= MOST_BYTES)


def _encode_json(content: TokenList) -> bytes:
    rows = (
        _Row(each.name, each.role, each.sha256, each.created_at, each.ends_at)
        for each in content.tokens
    )
    return msgspec.json.encode(_Content(tuple(rows), tuple(sorted(content.revoked))))
