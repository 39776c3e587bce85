"""How one command finds the stack that another one keeps running."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

STATE = Path("build/devstack/running.json")


class NothingRunsError(RuntimeError):
    """No stack is running; the text says how to start one."""


class Running(msgspec.Struct, frozen=True):
    """Where the running stack is, and the settings for it; `api_url` None: no API is served."""

    aws_url: str
    page_url: str
    env: Mapping[str, str]
    api_url: str | None = None


@contextmanager
def announced(running: Running, path: Path = STATE) -> Iterator[None]:
    """Let other commands find this stack while the block lasts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode(running))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find(path: Path = STATE) -> Running:
    """The stack that is running now, or `NothingRunsError`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise NothingRunsError(
            "No stack is running here. Start one in another terminal: make up"
        ) from error
