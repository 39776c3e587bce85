"""A client of the API for a person with a token. It prints the calls that change something."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import msgspec
from rich.console import Console
from rich.text import Text

# Seconds.
TIMEOUT = 30


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The content, decoded."""
        return msgspec.json.decode(self.content)


@dataclass(frozen=True, slots=True)
class ApiClient:
    """Calls the API at `url` with a bearer token. The token is never printed."""

    url: str
    token: str = field(repr=False)
    console: Console

    def get(self, path: str) -> Any:
        """Return the JSON at `path`."""
        return self._call("GET", path).json

    def send(
        self,
        method: str,
        path: str,
        request: Mapping[str, object],
        printed: Sequence[str],
        **headers: str,
    ) -> ApiResponse:
        """Send JSON. Prints the request, and of the response the fields in `printed`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = msgspec.json.encode(request)
        lines = [f"{method} {path}", *(f"{name}: {value}" for name, value in named.items())]
        # no line breaks of ours: the JSON can be copied
        self.console.print(Text("\n".join(lines), "cyan"), soft_wrap=True)
        self.console.print(Text(content.decode()), soft_wrap=True)
        response = self._call(method, path, content, named)
        fields = ", ".join(f"{name} {response.json.get(name)}" for name in printed)
        self.console.print(Text(f"→ {response.status}", "green"), Text(fields))
        return response

    def _call(
        self,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        address = urlsplit(self.url)
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if content is not None:
            sent["Content-Type"] = "application/json"
        connection = HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT)
        with closing(connection):
            connection.request(method, path, content, sent)
            response = connection.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return ApiResponse(response.status, received, response.read())
