"""Calls to a channel that fail, and servers that send any response."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from chalicelib.adapters.slack import SlackChannel
from chalicelib.domain.errors import DeliveryError
from chalicelib.reports.slack_blocks import Rendered

TOKEN = "xoxb-devstack"
CHANNEL = "C0DEVSTACK"
HEADER = {"type": "header", "text": {"type": "plain_text", "text": "2 new findings"}}
RENDERED = Rendered("2 new findings", (HEADER,))
UPLOAD_STEPS = ("files.getUploadURLExternal", "upload", "files.completeUploadExternal")

# Status, headers and body of a response.
Response = tuple[int, Mapping[str, str], bytes]


def catch_error(call: Callable[[], object]) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        call()
    return raised.value


def fail_to_post(channel: SlackChannel, thread: str | None = None) -> DeliveryError:
    """Posts a message and returns the error."""
    return catch_error(lambda: channel.post(RENDERED, thread))


def fail_to_attach(channel: SlackChannel, thread: str | None = "1.0") -> DeliveryError:
    """Attaches a file and returns the error."""
    return catch_error(lambda: channel.attach(thread, "findings.csv", "Findings", b"a,b\n"))


def refuse_to_sleep(seconds: float) -> None:
    """A sleep that must not be called."""
    raise AssertionError(seconds)


def list_everything_printed(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """Returns everything that a log can show of an error."""
    printed = "".join(traceback.format_exception(error))
    return f"{error}\n{error!r}\n{printed}\n{caplog.text}"


def build_ok(**fields: str) -> Response:
    return 200, {}, json.dumps({"ok": True, **fields}).encode()


@contextmanager
def serve_responses(responses: Mapping[str, Response]) -> Iterator[str]:
    """Serves a response for each method, the last part of the path; yields the base URL.

    `$URL` in a body is replaced by the base URL.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, body = responses[self.path.rpartition("/")[2]]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.replace(b"$URL", url.encode()))

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield url
        finally:
            server.shutdown()
            thread.join()
