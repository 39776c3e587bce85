"""One call to a method, and how its arguments are read."""

import json
from dataclasses import dataclass
from typing import Any

from devstack.slack.model import Json


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


def read_json(text: str | bytes) -> Any:
    r"""Parse JSON text, or raise ValueError.

    Halves of surrogate pairs, such as a lone \ud800, are refused too: they are no text, no
    answer in UTF-8 can repeat them, and Slack's parser does not take them.
    """
    value = json.loads(text)
    json.dumps(value, ensure_ascii=False).encode()
    return value


class RefusedError(Exception):
    """Slack refuses a call.

    `error` is the code of the method's reference page; `problems` say what is wrong in the
    arguments, in Slack's words and without its `[ERROR]` prefix.
    """

    def __init__(self, error: str, *problems: str) -> None:
        super().__init__(error)
        self.error = error
        self.problems = problems

    def body(self) -> Json:
        """Give the JSON that Slack answers; the bare `errors` come with bad blocks only."""
        answer: Json = {"ok": False, "error": self.error}
        if self.problems:
            messages = [f"[ERROR] {problem}" for problem in self.problems]
            answer["response_metadata"] = {"messages": messages}
        if self.problems and self.error == "invalid_blocks":
            answer["errors"] = list(self.problems)
        return answer
