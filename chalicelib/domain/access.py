"""Who may call the API: bearer tokens by their hash, a name and a role each."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.errors import NotFound, RuleBroken

NAME_FORM = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"


class Role(StrEnum):
    """What a caller may do."""

    VIEWER = "viewer"
    OPERATOR = "operator"


# HTTP methods by role; no route answers HEAD or OPTIONS.
_METHODS = {
    Role.VIEWER: ("GET",),
    Role.OPERATOR: ("GET", "POST", "PUT", "PATCH", "DELETE"),
}


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What is known of a token; `sha256` is the hash of its text, 64 lower-case hex digits."""

    name: str
    role: Role
    sha256: str = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever presented a token that is known."""

    name: str
    role: Role


def hash_token(token: str) -> str:
    """The hash that stands for a token: the only form in which it is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find_caller(tokens: Iterable[AccessToken], presented: str) -> Caller | None:
    """Whose token it is, None for nobody's.

    Every token is compared, each in constant time, so that the time taken says
    neither how much of a hash was right nor which token it was.
    """
    digest = hash_token(presented).encode()
    caller = None
    for token in tokens:
        if hmac.compare_digest(token.sha256.encode(), digest):
            caller = Caller(token.name, token.role)
    return caller


def allowed_methods(role: Role) -> tuple[str, ...]:
    """The HTTP methods that a role may use, on every route."""
    return _METHODS[role]


def append_token(tokens: tuple[AccessToken, ...], token: AccessToken) -> tuple[AccessToken, ...]:
    """The tokens with one more; `RuleBroken` where its name is malformed or taken."""
    if not re.fullmatch(NAME_FORM, token.name):
        raise RuleBroken(
            f"{token.name!r} cannot name a token: give 1 to 64 letters, digits, dots, "
            "underscores and hyphens, a letter or a digit first."
        )
    if any(token.name == each.name for each in tokens):
        raise RuleBroken(
            f"A token named {token.name} exists already: revoke it first, or choose another name."
        )
    return (*tokens, token)


def remove_token(tokens: tuple[AccessToken, ...], name: str) -> tuple[AccessToken, ...]:
    """The tokens without the one of this name; `NotFound` where there is none."""
    left = tuple(token for token in tokens if token.name != name)
    if len(left) == len(tokens):
        raise NotFound(f"No token is named {name}: list the tokens and take a name from there.")
    return left
