"""What receives the posts: a value in memory, and a server on this machine over it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request as Post
from urllib.request import urlopen

from werkzeug.serving import WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.history import BACK, EventKind
from devstack.serving import serve_wsgi

# A finding is open after these.
OPEN = {*BACK, EventKind.NEW, EventKind.WORSE, EventKind.REWORDED}


class Receiver:
    """Keeps messages and files, and the open findings that follow from facts.

    messages: the ids as they came · open: finding ids · titles: of facts, by finding
    id · last: the number of the last fact. A fact that comes again changes nothing.
    """

    def __init__(self, address: str = "memory") -> None:
        self.address = address
        self.messages: list[str] = []
        self.files: dict[str, bytes] = {}
        self.open: set[str] = set()
        self.titles: dict[str, str] = {}
        self.last = 0
        self.starts = 0
        self.bodies: list[bytes] = []
        self._failing = 0

    def fail(self, times: int = 1) -> None:
        """Refuses the next posts."""
        self._failing += times

    def post(self, path: str, body: bytes) -> None:
        """Receives a post."""
        if self._failing:
            self._failing -= 1
            raise DeliveryError("http_503", retryable=True)
        self.bodies.append(body)
        if path == "/messages":
            self.messages.append(json.loads(body)["id"])
        elif path.startswith("/files/"):
            self.files[path.removeprefix("/files/")] = body
        elif path == "/start":
            self.open, self.starts = set(json.loads(body)), self.starts + 1
        else:
            self._follow(json.loads(body))

    def _follow(self, facts: list[dict[str, Any]]) -> None:
        for fact in facts:
            if fact["number"] <= self.last:
                continue
            self.last = fact["number"]
            if fact["title"]:
                self.titles[fact["finding_id"]] = fact["title"]
            self.open.difference_update(fact["former_ids"])
            if fact["kind"] in OPEN:
                self.open.add(fact["finding_id"])
            else:
                self.open.discard(fact["finding_id"])


@dataclass(frozen=True, slots=True)
class HttpReceiver:
    """Posts to a server."""

    address: str

    def post(self, path: str, body: bytes) -> None:
        """Posts over HTTP."""
        request = Post(self.address + path, data=body, method="POST")  # noqa: S310 - own server
        try:
            with urlopen(request, timeout=10):  # noqa: S310 - own server
                return
        except HTTPError as error:
            error.close()
            raise DeliveryError(f"http_{error.code}", retryable=True) from None
        except URLError:
            raise DeliveryError("unreachable", retryable=True) from None


class _SilentHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Prints nothing."""


@contextmanager
def serve_receiver(receiver: Receiver) -> Iterator[str]:
    """Serves a receiver on a free port, and yields its address."""

    @Request.application
    def receive(request: Request) -> Response:
        try:
            receiver.post(request.path, request.get_data())
        except DeliveryError:
            return Response(status=503)
        return Response(status=204)

    with serve_wsgi(receive, 0, _SilentHandler) as url:
        yield url
