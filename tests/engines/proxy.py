"""A reverse proxy in front of one vendor. It lets calls fail on demand."""

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
# Seconds that a vendor may take. It is on the same machine.
TIMEOUT = 30
# Headers that belong to one connection, or that the proxy writes itself.
OWN_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect", "date"}
S3_OPERATIONS = {"PUT": "PutObject", "GET": "GetObject"}


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response."""

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

    def forward(self, body: bytes | None = None) -> Response:
        """Sends it to the vendor, with another body if one is given."""
        with closing(HTTPConnection(self.upstream, timeout=TIMEOUT)) as line:
            body = self.body if body is None else body
            line.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers:
                line.putheader(name, value)
            line.putheader("Content-Length", str(len(body)))
            line.endheaders(body)
            received = line.getresponse()
            headers = _drop_own_headers(received.getheaders())
            return Response(received.status, received.read(), headers)


# Handles a call instead of the vendor. None drops the connection.
Fault: TypeAlias = Callable[[Call], Response | None]


def refuse(code: str, status: int = 400) -> Fault:
    """Returns an AWS error without any effect: JSON for SSM and DynamoDB, XML for S3."""

    def respond_with_error(call: Call) -> Response:
        if call.operation in S3_OPERATIONS.values():
            text = f"<Error><Code>{code}</Code><Message>requested</Message></Error>"
            return Response(status, text.encode(), (("Content-Type", "application/xml"),))
        return _build_json({"__type": code, "message": "requested"}, status)

    return respond_with_error


def respond(status: int, body: bytes, **headers: str) -> Fault:
    """Returns this response without any effect. `Retry_After` becomes the header Retry-After."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return lambda _: Response(status, body, named)


def drop_connection(_: Call) -> None:
    """Drops the connection without any effect."""


def fail_afterwards(fault: Fault) -> Fault:
    """Lets the call have its effect, and then fail."""

    def forward_first(call: Call) -> Response | None:
        call.forward()
        return fault(call)

    return forward_first


def stay_silent(until: Event) -> Fault:
    """Sends nothing until the event, then drops the connection without any effect."""

    def wait(_: Call) -> None:
        until.wait(TIMEOUT)

    return wait


def run_before(act: Callable[[], object]) -> Fault:
    """Runs something before the call, which succeeds."""

    def run_first(call: Call) -> Response:
        act()
        return call.forward()

    return run_first


def process_only(count: int) -> Fault:
    """Writes this number of rows of a BatchWriteItem and returns the others as unprocessed."""

    def write_some(call: Call) -> Response:
        request = json.loads(call.body)
        ((table, rows),) = request["RequestItems"].items()
        if count:
            some = {**request, "RequestItems": {table: rows[:count]}}
            call.forward(json.dumps(some).encode())
        rest = rows[count:]
        return _build_json({"UnprocessedItems": {table: rest} if rest else {}})

    return write_some


@dataclass
class Faults:
    """The calls of all proxies that share it, in order, and the faults planned for them."""

    calls: list[str] = field(default_factory=list)
    _vendors: list[str] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _planned: dict[tuple[str, int | None], Fault] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def plan(self, operation: str, fault: Fault, call: int | None = None) -> None:
        """Lets the call with this number, from 1, fail; without a number every call.

        `operation` may also be a vendor, or `ANY_CALL`. Numbers count from the last
        `clear` on, retries of the SDK included.
        """
        with self._lock:
            self._planned[operation, call] = fault

    def clear(self) -> None:
        """Removes all faults and starts to count anew."""
        with self._lock:
            self._planned.clear()
            self._counts.clear()
            self.calls.clear()
            self._vendors.clear()

    def list_calls_to(self, vendor: str) -> list[str]:
        """Lists the calls to one vendor, in order."""
        calls = zip(self.calls, self._vendors, strict=True)
        return [call for call, called in calls if called == vendor]

    def count_call(self, operation: str, vendor: str) -> Fault | None:
        """Counts a call and returns its fault; None if it may succeed."""
        names = (operation, vendor, ANY_CALL)
        with self._lock:
            self.calls.append(operation)
            self._vendors.append(vendor)
            self._counts.update(names)
            for name in names:
                for number in (self._counts[name], None):
                    if (name, number) in self._planned:
                        return self._planned[name, number]
            return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores callers that were killed or did not wait: they are no errors of the proxy."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def run_proxy(vendor: str, upstream: str, faults: Faults) -> Iterator[str]:
    """Runs a proxy on a free port for the vendor at the URL `upstream`; yields its own URL."""
    target = urlsplit(upstream).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            operation = _find_operation(self)
            call = Call(
                operation,
                self.command,
                self.path,
                _drop_own_headers(self.headers.items()),
                self.rfile.read(length),
                target,
            )
            fault = faults.count_call(operation, vendor)
            response = fault(call) if fault else call.forward()
            if response is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._write(response)

        def _write(self, response: Response) -> None:
            self.send_response_only(response.status)
            for name, value in response.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

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


def _find_operation(request: BaseHTTPRequestHandler) -> str:
    """Returns the operation of SSM, DynamoDB or S3, or the method of Slack."""
    target = request.headers.get("X-Amz-Target")
    if target:
        return target.rpartition(".")[2]
    if request.path.startswith("/upload/"):
        return "upload"
    if request.path.startswith("/api/"):
        return urlsplit(request.path).path.rpartition("/")[2]
    return S3_OPERATIONS.get(request.command, request.command)


def _drop_own_headers(headers: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers if name.casefold() not in OWN_HEADERS)


def _build_json(body: object, status: int = 200) -> Response:
    return Response(
        status, json.dumps(body).encode(), (("Content-Type", "application/x-amz-json-1.0"),)
    )
