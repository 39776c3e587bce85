"""The token commands: what each does to the tokens of a stage, wherever they are kept."""

import argparse
import secrets
from datetime import UTC, datetime
from typing import IO, Protocol

from chalicelib.domain.access import AccessToken, Role, append_token, hash_token, remove_token

PREFIX = "eis_"
# Bytes of randomness: as many as the hash has, so that neither is the easier one to guess.
RANDOM_BYTES = 32

_MADE = """{token}

This is the token {name} ({role}). It is shown this once; only its hash is kept.
Send it with every request:
  curl -H "Authorization: Bearer <token>" <address of the API>/v1/findings
"""


class TokenStore(Protocol):
    """The tokens of one stage."""

    def all(self) -> tuple[AccessToken, ...]:
        """Every token that may call the API."""

    def save(self, tokens: tuple[AccessToken, ...]) -> None:
        """Keep these tokens instead of those before."""


def add_commands(parser: argparse.ArgumentParser) -> tuple[argparse.ArgumentParser, ...]:
    """Let a parser understand `add`, `list` and `revoke`; returns the parsers of the three."""
    commands = parser.add_subparsers(dest="token_command", required=True)
    add = commands.add_parser("add", help="make a token and show it once")
    add.add_argument("--name", required=True, help="whose it is; it stands in created_by")
    add.add_argument("--role", required=True, choices=[role.value for role in Role])
    listing = commands.add_parser("list", help="show names, roles and dates")
    revoke = commands.add_parser("revoke", help="let a token call no more")
    revoke.add_argument("--name", required=True)
    return add, listing, revoke


def run(asked: argparse.Namespace, store: TokenStore, out: IO[str]) -> None:
    """Do what was asked; errors are the domain's."""
    match asked.token_command:
        case "add":
            token = add_token(store, asked.name, Role(asked.role), datetime.now(UTC))
            out.write(_MADE.format(token=token, name=asked.name, role=asked.role))
        case "revoke":
            store.save(remove_token(store.all(), asked.name))
            out.write(f"Revoked {asked.name}. A deployed API has forgotten it in ten minutes.\n")
        case _:
            out.write(_table(store.all()))


def add_token(store: TokenStore, name: str, role: Role, now: datetime) -> str:
    """Make a token and keep its hash; returns the token, which is nowhere else."""
    token = new_token()
    made = AccessToken(name, role, hash_token(token), now.replace(microsecond=0))
    store.save(append_token(store.all(), made))
    return token


def new_token() -> str:
    """A token that nobody can guess; the prefix lets secret scanners know it."""
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def _table(tokens: tuple[AccessToken, ...]) -> str:
    if not tokens:
        return "No token exists: the API refuses every request.\n"
    width = max(len(token.name) for token in tokens)
    lines = (
        f"{token.name:{width}}  {token.role:8}  {token.created_at:%Y-%m-%d %H:%M:%S} UTC\n"
        for token in tokens
    )
    return "".join(lines)
