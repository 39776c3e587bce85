"""Free ports of this machine, and waiting until a program that was started listens on one."""

import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nothing listens on just now."""
    with closing(socket.create_server((HOST, 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_until_it_listens(
    process: "subprocess.Popen[bytes]", port: int, name: str, seconds: float
) -> None:
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
