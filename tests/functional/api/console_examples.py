"""Reads the console examples of a Markdown page and compares them with real responses.

An example is a `$ curl …` line in a `console` block, and below it what curl prints. These may
differ between the page and a response:

- `…` in a text, a list or an object stands for what the page leaves out. It stands for something:
  if the response has nothing there, that is a difference.
- White space between the tokens of JSON.
- Headers that the page does not print.
- Times, scan ids and UUIDs. The response must have a value of the same form there, and one printed
  value stands for the same received value in all examples of the page.
"""

import argparse
import csv
import io
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from string import Template
from typing import Any
from urllib.parse import urlsplit

ELISION = "…"
FORMS = (
    re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z"),
    re.compile(r"\d{4}-\d\d-\d\d"),
    re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}"),
    re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
)
# curl sends this type with -d, unless a header says otherwise.
CURL_TYPE = "application/x-www-form-urlencoded"
FIRST_ERROR = 400

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_JSON_TOKEN = re.compile(rf'"(?:[^"\\]|\\.)*"|[][{{}}{ELISION}]')

_curl = argparse.ArgumentParser("curl", add_help=False, allow_abbrev=False)
_curl.add_argument("-X", dest="method")
_curl.add_argument("-H", dest="headers", action="append", default=[])
_curl.add_argument("-d", dest="body")
_curl.add_argument("-i", dest="shows_head", action="store_true")
_curl.add_argument("url")


@dataclass(frozen=True)
class Response:
    """A response as curl prints it. Header names are in lower case."""

    status: int
    status_line: str
    headers: Mapping[str, str]
    content: str


@dataclass(frozen=True)
class Example:
    """A command, what the page prints below it, and the number of the command's line."""

    line: int
    command: str
    printed: str

    @property
    def words(self) -> list[str]:
        """The words of the command, as a shell splits them."""
        return shlex.split(self.command.replace("\\\n", ""))

    @property
    def shows_head(self) -> bool:
        """Whether the page prints the status line and headers: curl's -i."""
        return bool(_curl.parse_args(self.words[1:]).shows_head)

    def send(self, variables: Mapping[str, str]) -> Response:
        """Send the request as curl does. A variable or an option that is unknown is an error."""
        program, *words = self.words
        assert program == "curl", self.command
        curl = _curl.parse_args([Template(word).substitute(variables) for word in words])
        headers = dict(re.split(r":\s*", header, maxsplit=1) for header in curl.headers)
        if curl.body is not None:
            headers.setdefault("Content-Type", CURL_TYPE)
        method = curl.method or ("GET" if curl.body is None else "POST")
        url = urlsplit(curl.url)
        target = f"{url.path}?{url.query}" if url.query else url.path
        with closing(HTTPConnection(url.hostname or "", url.port, timeout=20)) as connection:
            connection.request(method, target, curl.body and curl.body.encode(), headers)
            received = connection.getresponse()
            version = f"HTTP/{received.version // 10}.{received.version % 10}"
            return Response(
                received.status,
                f"{version} {received.status} {received.reason}",
                {name.lower(): value for name, value in received.getheaders()},
                received.read().decode("utf-8-sig"),
            )


def read_examples(page: str) -> Iterator[Example]:
    """Read every example of a page. A command ends where its quotes are closed, without `\\`."""
    for block in _BLOCK.finditer(page):
        first = page.count("\n", 0, block.start(1)) + 1
        found: list[tuple[int, list[str], list[str]]] = []
        for number, line in enumerate(block[1].splitlines(), first):
            if line.startswith("$ "):
                found.append((number, [line[2:]], []))
            elif _is_whole("\n".join(found[-1][1])):
                found[-1][2].append(line)
            else:
                found[-1][1].append(line)
        yield from (
            Example(number, "\n".join(command), "\n".join(printed).strip())
            for number, command, printed in found
        )


def parse_elided_json(text: str) -> Any:
    """Decode JSON in which `…` may stand for members and items: as "…", in an object twice."""
    brackets: list[str] = []

    def mark(token: re.Match[str]) -> str:
        match token[0]:
            case "[" | "{" as opened:
                brackets.append(opened)
            case "]" | "}":
                brackets.pop()
            case "…":
                return '"…": "…"' if brackets[-1] == "{" else '"…"'
        return token[0]

    return json.loads(_JSON_TOKEN.sub(mark, text))


@dataclass
class Comparison:
    """Compares a page with responses. `received_as` has the values that printed ones stand for."""

    received_as: dict[str, str] = field(default_factory=dict)

    def compare_response(self, example: Example, response: Response) -> Iterator[str]:
        """Yield every difference between an example and the response to it."""
        content = example.printed
        if example.shows_head:
            head, _, content = content.partition("\n\n")
            status_line, *headers = head.splitlines()
            yield from self.compare(status_line, response.status_line, "status")
            for header in headers:
                name, value = re.split(r":\s*", header, maxsplit=1)
                yield from self.compare(value, response.headers.get(name.lower()), name)
        elif response.status >= FIRST_ERROR:
            yield f"status: not printed, received {response.status}"
        yield from self._compare_content(content, response)

    def compare(self, printed: Any, received: Any, where: str = "$") -> Iterator[str]:
        """Yield every difference between two decoded values."""
        match printed, received:
            case dict(), dict():
                yield from self._compare_objects(printed, received, where)
            case list(), list():
                yield from self._compare_lists(printed, received, where)
            case str(), str():
                if not self._agree(printed, received):
                    yield f"{where}: printed {printed}, received {received}"
            case _:
                if type(printed) is not type(received) or printed != received:
                    yield f"{where}: printed {printed}, received {received}"

    def _compare_content(self, printed: str, response: Response) -> Iterator[str]:
        kind = response.headers.get("content-type", "")
        if not printed or not response.content:
            if printed != response.content:
                yield f"content: printed {printed}, received {response.content}"
        elif "json" in kind:
            yield from self.compare(parse_elided_json(printed), json.loads(response.content))
        else:
            rows = [ELISION if row == [ELISION] else row for row in _read_rows(printed)]
            yield from self.compare(rows, _read_rows(response.content))

    def _compare_objects(
        self, printed: Mapping[str, Any], received: Mapping[str, Any], where: str
    ) -> Iterator[str]:
        names = [name for name in printed if name != ELISION]
        known = [name for name in received if name in printed]
        if names != known or (ELISION in printed) != (len(received) > len(known)):
            yield f"{where}: printed {', '.join(printed)}, received {', '.join(received)}"
        for name in known:
            yield from self.compare(printed[name], received[name], f"{where}.{name}")

    def _compare_lists(self, printed: list[Any], received: list[Any], where: str) -> Iterator[str]:
        elided = ELISION in printed
        begin = printed[: printed.index(ELISION)] if elided else printed
        end = printed[len(begin) + 1 :]
        count = len(begin) + len(end)
        if len(received) <= count if elided else len(received) != count:
            yield f"{where}: printed {count} items{' and …' * elided}, received {len(received)}"
        for index, item in enumerate(begin[: len(received)]):
            yield from self.compare(item, received[index], f"{where}[{index}]")
        for index in range(-len(end), 0):
            if -index <= len(received):
                yield from self.compare(end[index], received[index], f"{where}[{index}]")

    def _agree(self, printed: str, received: str) -> bool:
        for form in FORMS:
            if form.fullmatch(printed):
                stands_for = self.received_as.setdefault(printed, received)
                return bool(form.fullmatch(received)) and stands_for == received
        pattern = ".+".join(re.escape(part) for part in printed.split(ELISION))
        return re.fullmatch(pattern, received, re.DOTALL) is not None


def _is_whole(command: str) -> bool:
    """Whether a command ends here: without an open quote or a `\\` at the end of the line."""
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.endswith("\\")


def _read_rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))
