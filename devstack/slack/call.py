"""One call of a Web API method: its arguments, and how Slack refuses it."""

import json
from dataclasses import dataclass
from typing import Any

from devstack.slack.model import Json


class RefusedError(Exception):
    """Slack refuses the call: HTTP 200, `ok: false` and an error code.

    `error` is a code from the reference page of the method. `problems` name the faulty
    arguments in Slack's words, without the prefix `[ERROR]`.
    """

    def __init__(self, error: str, *problems: str) -> None:
        super().__init__(error)
        self.error = error
        self.problems = problems

    def to_json(self) -> Json:
        """Return the response. Slack adds the bare list `errors` only for invalid blocks."""
        response: Json = {"ok": False, "error": self.error}
        if self.problems:
            messages = [f"[ERROR] {problem}" for problem in self.problems]
            response["response_metadata"] = {"messages": messages}
        if self.problems and self.error == "invalid_blocks":
            response["errors"] = list(self.problems)
        return response


@dataclass(frozen=True, slots=True)
class Call:
    """A method with its arguments: strings from a form, any JSON from a JSON request.

    `host_url` is the address that the caller used. It ends with a slash.
    """

    method: str
    token: str | None
    arguments: Json
    host_url: str

    def read_text(self, name: str) -> str | None:
        """Return an argument as a string, or None if it is absent or null."""
        value = self.arguments.get(name)
        return None if value is None else str(value)

    def require_text(self, name: str) -> str:
        """Return an argument as a string, or raise `RefusedError` (invalid_arguments)."""
        value = self.read_text(name)
        if not value:
            raise RefusedError("invalid_arguments", f"missing required field: {name}")
        return value

    def read_structure(self, name: str) -> Any:
        """Return a JSON argument. A form carries it as a string.

        Raises `RefusedError` (invalid_arguments).
        """
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return parse_json(value)
        except ValueError as error:
            raise RefusedError("invalid_arguments", f"invalid JSON: {name}") from error


def parse_json(text: str | bytes) -> Any:
    r"""Parse JSON as strictly as Slack does, or raise ValueError.

    A lone half of a surrogate pair, such as \ud800, is refused too. It is not text, UTF-8
    cannot carry it back in a response, and Slack's parser does not accept it.
    """
    value = json.loads(text)
    json.dumps(value, ensure_ascii=False).encode()
    return value
