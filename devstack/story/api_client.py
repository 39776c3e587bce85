"""Calls the API over HTTP as a person with a token would, and shows what is said both ways."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import msgspec
from rich.console import Console
from rich.text import Text

TIMEOUT = 30
# Characters of an answer that are printed.
SHOWN = 420


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """What the answer says."""
        return msgspec.json.decode(self.content)


@dataclass(frozen=True, slots=True)
class ApiClient:
    """The API at `url`, called with a bearer token; the token is never shown."""

    url: str
    token: str = field(repr=False)

    def get(self, path: str) -> Any:
        """What a path that must be there shows."""
        return self._call("GET", path).json

    def shown(
        self,
        console: Console,
        method: str,
        path: str,
        body: Mapping[str, object],
        **headers: str,
    ) -> Reply:
        """Send a body; the request is printed, and how the answer begins."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = msgspec.json.encode(body)
        asked = " ".join([f"{method} {path}", *(f"{k}: {v}" for k, v in named.items())])
        console.print(Text(asked, "cyan"), Text(content.decode()), sep="\n")
        reply = self._call(method, path, content, named)
        said = reply.content.decode()
        cut = said if len(said) <= SHOWN else f"{said[:SHOWN]}…"
        console.print(Text(str(reply.status), "green"), Text(cut))
        return reply

    def _call(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        address = urlsplit(self.url)
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if content is not None:
            sent["Content-Type"] = "application/json"
        with closing(HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT)) as line:
            line.request(method, path, content, sent)
            answer = line.getresponse()
            got = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, got, answer.read())
