"""Parameter Store: keeps the API's tokens as JSON in one SecureString.

The JSON is `{"tokens": [{"name", "role", "sha256", "created_at"}]}`.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from chalicelib.aws import translate_errors
from chalicelib.domain.access import NAME_FORM, AccessToken, Role
from chalicelib.domain.errors import BadSetting, RuleBroken

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_ssm import SSMClient

# Seconds. A revoked token is refused after this time at the latest.
MAX_AGE: Final = 300
# Bytes. The limit of a standard parameter (Systems Manager user guide, parameter tiers).
MOST_BYTES: Final = 4096
_SETTING: Final = "API_TOKENS_PARAMETER"


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(pattern=rf"\A{NAME_FORM}\Z")]
    role: Role
    sha256: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    created_at: Annotated[datetime, msgspec.Meta(tz=True)]


class _Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tokens: tuple[_Row, ...]


class ParameterTokens:
    """The tokens in the SSM parameter `parameter`, which need not exist. Cached after reading."""

    def __init__(
        self, client: SSMClient, parameter: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._parameter = parameter
        self._clock = clock
        self._cached: tuple[float, str] | None = None

    def all(self, max_age: float = MAX_AGE) -> tuple[AccessToken, ...]:
        """Returns the tokens as they were at most `max_age` seconds ago.

        There are none if the parameter is missing or empty. Raises `BadSetting` if
        any part of the list is malformed: the rest must not let anybody in.
        """
        now = self._clock()
        if self._cached is None or now - self._cached[0] >= max_age:
            self._cached = (now, self._read())
        return decode_tokens(self._cached[1])

    def save(self, tokens: tuple[AccessToken, ...]) -> None:
        """Replaces the stored tokens by these; `RuleBroken` if they do not fit."""
        text = encode_tokens(tokens)
        with translate_errors("SSM", f"the parameter {self._parameter} of {_SETTING}"):
            self._client.put_parameter(
                Name=self._parameter,
                Value=text,
                Type="SecureString",
                Overwrite=True,
            )
        self._cached = (self._clock(), text)

    def _read(self) -> str:
        with translate_errors("SSM", f"the parameter {self._parameter} of {_SETTING}"):
            try:
                response = self._client.get_parameter(Name=self._parameter, WithDecryption=True)
            except self._client.exceptions.ParameterNotFound:
                return ""
        return response["Parameter"]["Value"]


def decode_tokens(text: str) -> tuple[AccessToken, ...]:
    """Parses the JSON; `BadSetting` if it is not a list of tokens."""
    if not text.strip():
        return ()
    try:
        rows = msgspec.json.decode(text, type=_Content).tokens
    except msgspec.DecodeError:
        # no cause: msgspec quotes the value that it refuses, and this one is a secret
        raise BadSetting(
            _SETTING,
            "its parameter does not hold a list of tokens; delete it and add each token again",
        ) from None
    return tuple(
        AccessToken(row.name, row.role, row.sha256, row.created_at.astimezone(UTC)) for row in rows
    )


def encode_tokens(tokens: tuple[AccessToken, ...]) -> str:
    """Builds the JSON; `RuleBroken` if it exceeds a standard parameter."""
    content = _encode_json(tokens)
    if len(content) > MOST_BYTES:
        numbers = range(len(tokens), -1, -1)
        fitting = next(n for n in numbers if len(_encode_json(tokens[:n])) <= MOST_BYTES)
        raise RuleBroken(
            f"{len(tokens)} tokens need {len(content):,} bytes, but a parameter holds "
            f"{MOST_BYTES:,}: {fitting} of them fit. Revoke a token, or use shorter names."
        )
    return content.decode()


def _encode_json(tokens: tuple[AccessToken, ...]) -> bytes:
    rows = tuple(_Row(each.name, each.role, each.sha256, each.created_at) for each in tokens)
    return msgspec.json.encode(_Content(rows))
