"""What receives the posts: a value in memory, and a server on this machine over it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from chalicelib.domain.errors import DeliveryError


class Receiver:
    """Keeps messages by id, and the open findings that follow from facts.

    `open` are finding ids, `messages` ids to files. A fact that comes again changes
    nothing. `repeated` counts messages that came more than once.
    """

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, str]] = {}
        self.repeated = 0
        self.open: set[str] = set()
        self.titles: dict[str, str] = {}
        self.last = 0
        self.starts = 0
        self.failing = 0

    def post(self, path: str, body: bytes) -> None:
        """Receives a post, as the server does."""
        if self.failing:
            self.failing -= 1
            raise DeliveryError("http_503", retryable=True)
        content = json.loads(body)
        if path == "/messages":
            self.repeated += content["id"] in self.messages
            self.messages[content["id"]] = content["files"]
        elif path == "/start":
            self.open, self.starts = set(content), self.starts + 1
        else:
            self._follow(content)

    def _follow(self, facts: list[dict[str, Any]]) -> None:
        for fact in facts:
            if fact["number"] <= self.last:
                continue
            self.last = fact["number"]
            if fact["title"]:
                self.titles[fact["finding_id"]] = fact["title"]
            if fact["kind"] == "new":
                self.open.add(fact["finding_id"])
            else:
                self.open.discard(fact["finding_id"])


@contextmanager
def serve_receiver(receiver: Receiver) -> Iterator[str]:
    """Serves a receiver on a free port, and yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            try:
                receiver.post(self.path, body)
            except DeliveryError:
                self.send_response(503)
            else:
                self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def post_over_http(address: str) -> Callable[[str, bytes], None]:
    """Returns a function that posts to a server."""

    def post(path: str, body: bytes) -> None:
        request = Request(address + path, data=body, method="POST")  # noqa: S310 - own server
        try:
            with urlopen(request, timeout=10):  # noqa: S310 - own server
                return
        except HTTPError as error:
            error.close()
            raise DeliveryError(f"http_{error.code}", retryable=True) from None
        except (URLError, OSError):
            raise DeliveryError("unreachable", retryable=True) from None

    return post
