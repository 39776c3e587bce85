"""Adds, lists and revokes the tokens of the API.

devstack has the same commands for its local API, so they work on any `TokenStore`.
"""

import argparse
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import IO, Annotated, Protocol

import msgspec

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import AccessToken, Role, append_token, hash_token, remove_token
from chalicelib.domain.errors import FieldFault, RuleBroken
from ops.aws import explain_errors, find_account, open_session
from ops.stages import read_stage

SETTING = "API_TOKENS_PARAMETER"
PREFIX = "eis_"
# Bytes of randomness: as many as the hash has, so that neither is easier to guess.
RANDOM_BYTES = 32

_ADDED = """{token}

This is the token of {name} ({role}).{end}
It is shown only once: the service keeps only its hash.
Send it with every request:
  curl -H "Authorization: Bearer <token>" <address of the API>/v1/findings
"""


class TokenStore(Protocol):
    """The tokens of one stage."""

    def all(self) -> tuple[AccessToken, ...]:
        """Return every token that may call the API."""

    def change(
        self, alter: Callable[[tuple[AccessToken, ...]], tuple[AccessToken, ...]]
    ) -> tuple[AccessToken, ...]:
        """Alter the tokens without losing a change of somebody else, and return them."""


def add_verbs(parser: argparse.ArgumentParser) -> tuple[argparse.ArgumentParser, ...]:
    """Add the verbs `add`, `list` and `revoke` to a parser, and return their parsers."""
    verbs = parser.add_subparsers(dest="token_verb", required=True)
    add = verbs.add_parser(
        "add",
        help="create a token and show it once",
        description="Create a token and show it once. Only its hash is stored.",
    )
    add.add_argument("--name", required=True, help="who uses it; becomes created_by of snoozes")
    add.add_argument(
        "--role",
        required=True,
        choices=[role.value for role in Role],
        help="a viewer can read, an operator can also snooze",
    )
    add.add_argument(
        "--ends",
        metavar="DATE",
        help="the last day in UTC, such as 2027-01-31, or a time, such as 2027-01-31T18:00:00Z",
    )
    show = verbs.add_parser(
        "list", help="show names, roles and dates", description="Show names, roles and dates."
    )
    revoke = verbs.add_parser(
        "revoke",
        help="make a token invalid",
        description="Make a token invalid. A deployed API refuses it within ten minutes.",
    )
    revoke.add_argument("--name", required=True, help="the name that list shows")
    return add, show, revoke


def manage_deployed_tokens(args: argparse.Namespace) -> None:
    """Run a verb on the tokens of a deployed stage, or of the SSM parameter that `args` names."""
    name, session = args.parameter, None
    if args.stage is not None:
        stage = read_stage(args.stage)
        name, session = stage.require_setting(SETTING), find_account(stage).session
    with explain_errors("API tokens"):
        store = ParameterTokens((session or open_session()).client("ssm"), name)
        run_verb(args, store, sys.stdout)


def run_verb(args: argparse.Namespace, store: TokenStore, out: IO[str]) -> None:
    """Run `add`, `list` or `revoke`. Raises the errors of the domain and the store."""
    match args.token_verb:
        case "add":
            ends_at = None if args.ends is None else parse_end(args.ends)
            token = add_token(store, args.name, Role(args.role), datetime.now(UTC), ends_at)
            end = f" It ends at {_format_time(ends_at)}." if ends_at else ""
            out.write(_ADDED.format(token=token, name=args.name, role=args.role, end=end))
        case "revoke":
            store.change(lambda tokens: remove_token(tokens, args.name))
            out.write(f"Revoked {args.name}. A deployed API refuses it within ten minutes.\n")
        case _:
            out.write(_format_list(store.all()))


def add_token(
    store: TokenStore, name: str, role: Role, now: datetime, ends_at: datetime | None = None
) -> str:
    """Store the hash of a new token, and return the token. It is kept nowhere.

    Raises `RuleBroken` if `ends_at` has passed.
    """
    token = generate_token()
    added = AccessToken(name, role, hash_token(token), now.replace(microsecond=0), ends_at)
    store.change(lambda tokens: append_token(tokens, added))
    return token


def parse_end(text: str) -> datetime:
    """Return when a token ends: at the end of a day in UTC, or at an RFC 3339 time."""
    try:
        day = msgspec.convert(text, date)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    except msgspec.ValidationError:
        pass
    except OverflowError as error:
        raise _refuse_end(text) from error
    try:
        at: datetime = msgspec.convert(text, Annotated[datetime, msgspec.Meta(tz=True)])
        return at.astimezone(UTC).replace(microsecond=0)
    except (msgspec.ValidationError, OverflowError) as error:
        raise _refuse_end(text) from error


def _refuse_end(text: str) -> RuleBroken:
    message = (
        f"--ends is {text!r}, which is neither a day, such as 2027-01-31, nor a time with a time "
        "zone, such as 2027-01-31T18:00:00Z."
    )
    return RuleBroken(message, FieldFault("ends", "form", message))


def generate_token() -> str:
    """Generate a random token. Secret scanners recognise its prefix."""
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def _format_list(tokens: tuple[AccessToken, ...]) -> str:
    if not tokens:
        return "No tokens. The API refuses every caller.\n"
    width = max(len(token.name) for token in tokens)
    now = datetime.now(UTC)
    return "".join(f"{each.name:{width}}  {_describe(each, now)}\n" for each in tokens)


def _describe(token: AccessToken, now: datetime) -> str:
    described = f"{token.role:8}  {_format_time(token.created_at)}"
    if token.ends_at is None:
        return described
    word = "ended" if token.has_ended(now) else "ends"
    return f"{described}  {word} {_format_time(token.ends_at)}"


def _format_time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
