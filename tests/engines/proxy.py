"""A reverse proxy between the program and one vendor, which lets calls go wrong on demand."""

import json
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, TypeAlias
from urllib.parse import urlsplit

ANY_CALL = "*"
# Seconds that a vendor may take; it is on the same machine.
PATIENCE = 30
# Headers that belong to one connection, or that the proxy writes itself.
OWN_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "date"}
S3_OPERATIONS = {"PUT": "PutObject", "GET": "GetObject"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A call on its way to the vendor."""

    operation: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    upstream: str

    def forward(self, body: bytes | None = None) -> Answer:
        """Let the vendor answer it, with another body where one is given."""
        with closing(HTTPConnection(self.upstream, timeout=PATIENCE)) as line:
            body = self.body if body is None else body
            line.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers:
                line.putheader(name, value)
            line.putheader("Content-Length", str(len(body)))
            line.endheaders(body)
            answer = line.getresponse()
            return Answer(answer.status, answer.read(), _kept(answer.getheaders()))


# What becomes of a call; None drops the connection.
Fault: TypeAlias = Callable[[Call], Answer | None]


def refused(code: str, status: int = 400) -> Fault:
    """An AWS error in both of its forms: JSON to SSM and DynamoDB, XML to S3. No effect."""

    def answer(call: Call) -> Answer:
        if call.operation in S3_OPERATIONS.values():
            text = f"<Error><Code>{code}</Code><Message>asked for</Message></Error>"
            return Answer(status, text.encode(), (("Content-Type", "application/xml"),))
        return _json({"__type": code, "message": "asked for"}, status)

    return answer


def answered(status: int, body: bytes, **headers: str) -> Fault:
    """Just this answer; no effect. `Retry_After` becomes the header Retry-After."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda _: Answer(status, body, named)


def dropped(_: Call) -> None:
    """Drop the connection; no effect."""


def lost(fault: Fault) -> Fault:
    """Let the call have its effect, and go wrong then."""

    def forward_first(call: Call) -> Answer | None:
        call.forward()
        return fault(call)

    return forward_first


def silent(until: Event) -> Fault:
    """Say nothing until the event, then drop the connection; no effect."""

    def wait(_: Call) -> None:
        until.wait(PATIENCE)

    return wait


def meanwhile(act: Callable[[], object]) -> Fault:
    """Do something before the call, which then goes its way."""

    def act_first(call: Call) -> Answer:
        act()
        return call.forward()

    return act_first


def unprocessed(taken: int) -> Fault:
    """Take so many of the rows of a BatchWriteItem, and leave the others over."""

    def write_some(call: Call) -> Answer:
        request = json.loads(call.body)
        ((table, rows),) = request["RequestItems"].items()
        if taken:
            some = {**request, "RequestItems": {table: rows[:taken]}}
            call.forward(json.dumps(some).encode())
        left = rows[taken:]
        return _json({"UnprocessedItems": {table: left} if left else {}})

    return write_some


@dataclass
class Faults:
    """The calls of all proxies that share it, in order, and what becomes of them."""

    calls: list[str] = field(default_factory=list)
    _vendors: list[str] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _waiting: dict[tuple[str, int | None], Fault] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def at(self, operation: str, fault: Fault, call: int | None = None) -> None:
        """Let the call of this number, from 1, go wrong; without a number every one.

        `operation` may be a vendor, or `ANY_CALL`, too. The number counts from the last
        `end` on, and retries of the SDK count.
        """
        with self._lock:
            self._waiting[operation, call] = fault

    def end(self) -> None:
        """Nothing goes wrong any more; begin to count anew."""
        with self._lock:
            self._waiting.clear()
            self._counts.clear()
            self.calls.clear()
            self._vendors.clear()

    def calls_to(self, vendor: str) -> list[str]:
        """The calls to one vendor, in order."""
        both = zip(self.calls, self._vendors, strict=True)
        return [call for call, asked in both if asked == vendor]

    def take(self, operation: str, vendor: str) -> Fault | None:
        """Count a call; what becomes of it, None where it just goes its way."""
        names = (operation, vendor, ANY_CALL)
        with self._lock:
            self.calls.append(operation)
            self._vendors.append(vendor)
            self._counts.update(names)
            for name in names:
                for number in (self._counts[name], None):
                    if (name, number) in self._waiting:
                        return self._waiting[name, number]
            return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that were killed, or did not wait, are no errors of the proxy."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def proxy(vendor: str, upstream: str, faults: Faults) -> Iterator[str]:
    """Stand before the vendor at the URL `upstream`; yields the proxy's own URL."""
    target = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            operation = _operation(self)
            call = Call(
                operation,
                self.command,
                self.path,
                _kept(self.headers.items()),
                self.rfile.read(length),
                target,
            )
            fault = faults.take(operation, vendor)
            answer = fault(call) if fault else call.forward()
            if answer is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._write(answer)

        def _write(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = _handle  # noqa: N815 - the names http.server looks for

    server = _Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _operation(request: BaseHTTPRequestHandler) -> str:
    """The operation of SSM and DynamoDB, of S3, or the method of Slack."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    if request.path.startswith("/upload/"):
        return "upload"
    if request.path.startswith("/api/"):
        return urlsplit(request.path).path.rpartition("/")[2]
    return S3_OPERATIONS.get(request.command, request.command)


def _kept(headers: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers if name.casefold() not in OWN_HEADERS)


def _json(body: object, status: int = 200) -> Answer:
    return Answer(
        status, json.dumps(body).encode(), (("Content-Type", "application/x-amz-json-1.0"),)
    )
