"""Drives the API with locust, headless, in an environment of its own."""

import os
import subprocess
import tempfile
from pathlib import Path

import msgspec

from bench.api.requests import LoadResponse, RequestKind
from bench.api.serve import ServedApi
from bench.api.tables import ROOT

LOG = Path("build/bench/locust.log")
_LOCUST = ROOT / ".venv-bench" / "bin" / "locust"
_FILE = Path(__file__).with_name("locustfile.py")
# Locust ends a run after these seconds. Half a minute later it is killed.
LONGEST = 600
_KILL_AFTER = LONGEST + 30


def describe_missing() -> str | None:
    """Why locust is not available, and how to get it. None if it is."""
    found = _LOCUST.exists()
    return None if found else "locust is not installed (`make bench` installs it if it can)"


def drive(kind: RequestKind, api: ServedApi, users: int) -> list[LoadResponse]:
    """Send every request once, `users` at a time. Returns the responses in order of arrival.

    RuntimeError if locust itself fails.
    """
    with tempfile.TemporaryDirectory() as folder, LOG.open("ab") as log:
        plan, responses = Path(folder) / "plan.json", Path(folder) / "responses.json"
        plan.write_bytes(msgspec.json.encode(kind))
        done = subprocess.run(  # noqa: S603 - our own program and arguments
            _build_command(api.url, users),
            cwd=folder,
            env={
                "PATH": os.defpath,
                "HOME": folder,
                "LOAD_PLAN": str(plan),
                "LOAD_RESPONSES": str(responses),
                "LOAD_TOKEN": api.token,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            timeout=_KILL_AFTER,
            check=False,
        )
        if not responses.exists():
            raise RuntimeError(f"locust ended with exit code {done.returncode}; see {LOG}")
        return msgspec.json.decode(responses.read_bytes(), type=list[LoadResponse])


def _build_command(url: str, users: int) -> list[str]:
    options = {
        "--locustfile": _FILE,
        "--host": url,
        "--users": users,
        "--spawn-rate": users,
        "--run-time": f"{LONGEST}s",
    }
    given = [str(part) for option in options.items() for part in option]
    return [str(_LOCUST), "--headless", "--only-summary", *given]
