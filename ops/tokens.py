"""Adds, lists and revokes the tokens of the API.

devstack has the same commands for its local API, so they work on any `TokenStore`.
"""

import argparse
import secrets
import sys
from datetime import UTC, datetime
from typing import IO, Protocol

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import AccessToken, Role, append_token, hash_token, remove_token
from ops.aws import explain_errors, open_session
from ops.stages import read_stage

SETTING = "API_TOKENS_PARAMETER"
PREFIX = "eis_"
# Bytes of randomness: as many as the hash has, so that neither is easier to guess.
RANDOM_BYTES = 32

_ADDED = """{token}

This is the token of {name} ({role}). It is shown only once: the service keeps only its hash.
Send it with every request:
  curl -H "Authorization: Bearer <token>" <address of the API>/v1/findings
"""


class TokenStore(Protocol):
    """The tokens of one stage."""

    def all(self) -> tuple[AccessToken, ...]:
        """Return every token that may call the API."""

    def save(self, tokens: tuple[AccessToken, ...]) -> None:
        """Replace all tokens."""


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
    name = args.parameter
    if args.stage is not None:
        name = read_stage(args.stage).require_setting(SETTING)
    with explain_errors("API tokens"):
        store = ParameterTokens(open_session().client("ssm"), name)
        run_verb(args, store, sys.stdout)


def run_verb(args: argparse.Namespace, store: TokenStore, out: IO[str]) -> None:
    """Run `add`, `list` or `revoke`. Raises the errors of the domain and the store."""
    match args.token_verb:
        case "add":
            token = add_token(store, args.name, Role(args.role), datetime.now(UTC))
            out.write(_ADDED.format(token=token, name=args.name, role=args.role))
        case "revoke":
            store.save(remove_token(store.all(), args.name))
            out.write(f"Revoked {args.name}. A deployed API refuses it within ten minutes.\n")
        case _:
            out.write(_format_list(store.all()))


def add_token(store: TokenStore, name: str, role: Role, now: datetime) -> str:
    """Store the hash of a new token, and return the token. It is kept nowhere."""
    token = generate_token()
    added = AccessToken(name, role, hash_token(token), now.replace(microsecond=0))
    store.save(append_token(store.all(), added))
    return token


def generate_token() -> str:
    """Generate a random token. Secret scanners recognise its prefix."""
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def _format_list(tokens: tuple[AccessToken, ...]) -> str:
    if not tokens:
        return "No tokens. The API refuses every caller.\n"
    width = max(len(token.name) for token in tokens)
    lines = (
        f"{token.name:{width}}  {token.role:8}  {token.created_at:%Y-%m-%d %H:%M:%S} UTC\n"
        for token in tokens
    )
    return "".join(lines)
