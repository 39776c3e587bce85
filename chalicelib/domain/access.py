"""Who may call the API: bearer tokens, each stored as a hash with a name and a role."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from chalicelib.domain.errors import NotFound, RuleBroken

NAME_FORM = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


class Role(StrEnum):
    """What a caller may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"


# HTTP methods by role. No route answers HEAD or OPTIONS.
_METHODS = {
    Role.VIEWER: ("GET",),
    Role.OPERATOR: ("GET", "POST", "PUT", "PATCH", "DELETE"),
}


class AccessToken(Struct, frozen=True):
    """A stored token. `sha256` is the hash of its text: 64 lower-case hex digits."""

    name: str
    role: Role
    sha256: str
    created_at: datetime

    def __repr__(self) -> str:
        """Leaves the hash out, so that no log can have it."""
        return f"AccessToken({self.name!r}, {self.role!r})"


class Caller(Struct, frozen=True):
    """The holder of a known token."""

    name: str
    role: Role


def hash_token(token: str) -> str:
    """Returns the SHA-256 of a token, the only form in which it is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find_caller(tokens: Iterable[AccessToken], presented: str) -> Caller | None:
    """Returns the holder of the presented token, None if the token is unknown.

    Compares every token in constant time. The response time then reveals neither
    how much of a hash matched nor which token it was.
    """
    digest = hash_token(presented).encode()
    caller = None
    for token in tokens:
        if hmac.compare_digest(token.sha256.encode(), digest):
            caller = Caller(token.name, token.role)
    return caller


def list_methods(role: Role) -> tuple[str, ...]:
    """Lists the HTTP methods that a role may use on every route."""
    return _METHODS[role]


def append_token(tokens: tuple[AccessToken, ...], token: AccessToken) -> tuple[AccessToken, ...]:
    """Returns the tokens with one more; `RuleBroken` if its name is malformed or taken."""
    if not re.fullmatch(NAME_FORM, token.name):
        raise RuleBroken(
            f"{token.name!r} is not a valid token name. Use 1 to 64 letters, digits, dots, "
            "underscores and hyphens; begin with a letter or a digit."
        )
    if any(token.name == each.name for each in tokens):
        raise RuleBroken(
            f"A token named {token.name} already exists. Revoke it first, or choose another name."
        )
    return (*tokens, token)


def remove_token(tokens: tuple[AccessToken, ...], name: str) -> tuple[AccessToken, ...]:
    """Returns the tokens without the one of this name; `NotFound` if there is none."""
    remaining = tuple(token for token in tokens if token.name != name)
    if len(remaining) == len(tokens):
        raise NotFound(f"No token is named {name}. List the tokens to see the names.")
    return remaining
