"""One call to a method, and how its arguments are read."""

from dataclasses import dataclass
from typing import Any

from devstack.slack.json_text import read_json
from devstack.slack.model import Json
from devstack.slack.refusal import RefusedError


@dataclass(frozen=True, slots=True)
class Call:
    """A method with its arguments, strings from a form and any JSON from a JSON body.

    `host_url` is the address the caller used, with a slash at its end.
    """

    method: str
    token: str | None
    arguments: Json
    host_url: str

    def text(self, name: str) -> str | None:
        """Give a string argument, or None where it is absent or null."""
        value = self.arguments.get(name)
        return None if value is None else str(value)

    def required(self, name: str) -> str:
        """Give a string argument, or raise `RefusedError` (invalid_arguments)."""
        value = self.text(name)
        if not value:
            raise RefusedError("invalid_arguments", f"missing required field: {name}")
        return value

    def structure(self, name: str) -> Any:
        """Give a JSON argument; a form carries it as a string.

        Raises `RefusedError` (invalid_arguments).
        """
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return read_json(value)
        except ValueError as error:
            raise RefusedError("invalid_arguments", f"invalid JSON: {name}") from error
