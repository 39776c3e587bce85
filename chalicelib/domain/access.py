"""Who may call the API: bearer tokens, each stored as a hash with a name and a role."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from chalicelib.domain.errors import FieldFault, NotFound, RuleBroken

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
    """A stored token. `sha256` is the hash of its text: 64 lower-case hex digits.

    It is valid over `[created_at, ends_at)`; `ends_at` None means until it is revoked.
    """

    name: str
    role: Role
    sha256: str
    created_at: datetime
    ends_at: datetime | None = None

    def __repr__(self) -> str:
        """Leaves the hash out, so that no log can have it."""
        return f"AccessToken({self.name!r}, {self.role!r})"

    def has_ended(self, now: datetime) -> bool:
        """Whether its end has come."""
        return self.ends_at is not None and now >= self.ends_at


class TokenList(Struct, frozen=True):
    """The tokens as one write left them, and the hashes of those that this write revoked.

    `revoked` tells a token that was revoked from one that the writer did not know.
    """

    tokens: tuple[AccessToken, ...] = ()
    revoked: frozenset[str] = frozenset()


class TokenChange(Struct, frozen=True):
    """What a person changes: new tokens, and the hashes of those that are revoked."""

    added: tuple[AccessToken, ...]
    revoked: frozenset[str]


def hash_token(token: str) -> str:
    """Returns the SHA-256 of a token, the only form in which it is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def find_token(tokens: Iterable[AccessToken], presented: str) -> AccessToken | None:
    """Returns the stored token of the presented text, ended or not, None if it is unknown.

    Compares every token in constant time. The response time then reveals neither
    how much of a hash matched nor which token it was.
    """
    digest = hash_token(presented).encode()
    found = None
    for token in tokens:
        if hmac.compare_digest(token.sha256.encode(), digest):
            found = token
    return found


def list_methods(role: Role) -> tuple[str, ...]:
    """Lists the HTTP methods that a role may use on every route."""
    return _METHODS[role]


def append_token(tokens: tuple[AccessToken, ...], token: AccessToken) -> tuple[AccessToken, ...]:
    """Returns the tokens with one more.

    Raises `RuleBroken` if its name is malformed or taken, or if it ends before it begins.
    """
    if not re.fullmatch(NAME_FORM, token.name):
        raise RuleBroken(
            f"{token.name!r} is not a valid token name. Use 1 to 64 letters, digits, dots, "
            "underscores and hyphens; begin with a letter or a digit."
        )
    if any(token.name == each.name for each in tokens):
        raise RuleBroken(
            f"A token named {token.name} already exists. Revoke it first, or choose another name."
        )
    if token.has_ended(token.created_at):
        text = f"The end must lie in the future, not at {token.ends_at:%Y-%m-%d %H:%M:%S} UTC."
        raise RuleBroken(text, FieldFault("ends_at", "past", text))
    return (*tokens, token)


def remove_token(tokens: tuple[AccessToken, ...], name: str) -> tuple[AccessToken, ...]:
    """Returns the tokens without the one of this name; `NotFound` if there is none."""
    remaining = tuple(token for token in tokens if token.name != name)
    if len(remaining) == len(tokens):
        raise NotFound(f"No token is named {name}. List the tokens to see the names.")
    return remaining


def merge_lists(known: TokenList, others: Iterable[TokenList]) -> TokenList:
    """Joins lists that were written over each other: what any has, less what any revoked."""
    lists = (known, *others)
    revoked = frozenset[str]().union(*(each.revoked for each in lists))
    tokens = {token.sha256: token for each in lists for token in each.tokens}
    return TokenList(tuple(each for key, each in tokens.items() if key not in revoked), revoked)


def compare_tokens(before: tuple[AccessToken, ...], after: tuple[AccessToken, ...]) -> TokenChange:
    """Returns the change that makes `after` of `before`, so that it can be applied to others."""
    old, new = ({each.sha256 for each in tokens} for tokens in (before, after))
    return TokenChange(
        tuple(each for each in after if each.sha256 not in old), frozenset(old - new)
    )


def apply_change(known: TokenList, change: TokenChange) -> TokenList:
    """Returns the list with this change; one that has it already stays as it is.

    A token that somebody else has revoked is not added again. Raises `RuleBroken` if a new
    token breaks a rule (`append_token`).
    """
    revoked = known.revoked | change.revoked
    changed = revoked | {each.sha256 for each in change.added}
    tokens = tuple(each for each in known.tokens if each.sha256 not in changed)
    for token in change.added:
        if token.sha256 not in revoked:
            tokens = append_token(tokens, token)
    return TokenList(tokens, revoked)


def withdraw_additions(change: TokenChange) -> TokenChange:
    """Returns the change without its new tokens, which are revoked wherever they were written."""
    added = (each.sha256 for each in change.added)
    return TokenChange((), change.revoked.union(added))
