"""Lets locust send the requests of a kind, headless, in an environment of its own."""

import os
import subprocess
import tempfile
from pathlib import Path

import msgspec

from bench.api_fleet import ROOT
from bench.load.figures import Answer
from bench.load.kinds import Kind
from bench.load.served import Served

LOG = Path("build/bench/locust.log")
_LOCUST = ROOT / ".venv-bench" / "bin" / "locust"
_FILE = Path(__file__).with_name("locustfile.py")
# Seconds after which a kind is ended, however far it has come; and locust, where it hangs.
LONGEST = 600
_KILL_AFTER = LONGEST + 30


def missing() -> str | None:
    """What is missing to drive, and how to get it; None where all is there."""
    found = _LOCUST.exists()
    return None if found else "locust is not installed (`make bench` gets it where it can)"


def drive(kind: Kind, api: Served, users: int) -> list[Answer]:
    """Send every request once, `users` at a time; the answers in the order they came in.

    RuntimeError where locust itself failed.
    """
    with tempfile.TemporaryDirectory() as folder, LOG.open("ab") as log:
        plan, answers = Path(folder) / "plan.json", Path(folder) / "answers.json"
        plan.write_bytes(msgspec.json.encode(kind))
        done = subprocess.run(  # noqa: S603 - our own program and arguments
            _command(api.url, users),
            cwd=folder,
            env={
                "PATH": os.defpath,
                "HOME": folder,
                "LOAD_PLAN": str(plan),
                "LOAD_ANSWERS": str(answers),
                "LOAD_TOKEN": api.token,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            timeout=_KILL_AFTER,
            check=False,
        )
        if not answers.exists():
            raise RuntimeError(f"locust ended with exit code {done.returncode}; see {LOG}")
        return msgspec.json.decode(answers.read_bytes(), type=list[Answer])


def _command(url: str, users: int) -> list[str]:
    options = {
        "--locustfile": _FILE,
        "--host": url,
        "--users": users,
        "--spawn-rate": users,
        "--run-time": f"{LONGEST}s",
    }
    given = [str(part) for option in options.items() for part in option]
    return [str(_LOCUST), "--headless", "--only-summary", *given]
