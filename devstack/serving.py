"""Serves a WSGI application on this machine for as long as a `with` block lasts."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    import subprocess

    from _typeshed.wsgi import WSGIApplication


HOST = "127.0.0.1"
# Seconds between two looks at whether to stop serving
POLL_INTERVAL = 0.02


@contextmanager
def serve_wsgi(
    app: "WSGIApplication", port: int, handler: type[WSGIRequestHandler]
) -> Iterator[str]:
    """Serve on `port`, on a free one when it is 0; yields the URL, `http://127.0.0.1:<port>`.

    Raises OSError when the port is taken: werkzeug itself would end the program.
    """
    with socket.create_server((HOST, port)) as listener:
        server = make_server(
            HOST, port, app, threaded=True, request_handler=handler, fd=listener.fileno()
        )
    thread = Thread(target=server.serve_forever, args=(POLL_INTERVAL,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def find_free_port() -> int:
    """A port that nothing listens on just now."""
    with closing(socket.create_server((HOST, 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for_port(process: "subprocess.Popen[bytes]", port: int, name: str, seconds: float) -> None:
    """Return once `port` answers; RuntimeError where the program ended or took too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with exit code {process.returncode}")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{name} did not listen within {seconds:g} s")
