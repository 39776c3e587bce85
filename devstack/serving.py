"""Servers and ports of this machine."""

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
# Seconds between two checks for a shutdown.
POLL_INTERVAL = 0.02


@contextmanager
def serve_wsgi(
    app: "WSGIApplication", port: int, handler: type[WSGIRequestHandler]
) -> Iterator[str]:
    """Serve an application on `port`, or on a free port if it is 0.

    Yields the URL, `http://127.0.0.1:<port>`. Raises OSError if the port is taken. werkzeug
    alone would end the program.
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
    """Return a port that is free at this moment."""
    with closing(socket.create_server((HOST, 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for_port(process: "subprocess.Popen[bytes]", port: int, name: str, seconds: float) -> None:
    """Return when `port` accepts connections.

    Raises RuntimeError if the process has ended, or after `seconds`.
    """
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
