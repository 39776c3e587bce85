"""Runs a module of the bench in a process of its own, so that peak memory is its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

ROOT = Path(__file__).parents[1]
T = TypeVar("T")
# Receives a line of progress.
Notify = Callable[[str], object]


def run_module(
    module: str, arguments: tuple[str, ...], settings: Mapping[str, str], kind: type[T]
) -> T:
    """Runs `python -m module` and decodes its last line, which is JSON of `kind`.

    `settings` are added to the environment. RuntimeError if the exit code is not 0.
    """
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)}: {done.stderr[-2000:]}")
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=kind)


def read_peak_mb() -> float:
    """The peak memory of this process in MiB, or 0 if the system does not report it.

    `ru_maxrss` would start at the memory of the parent process.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
