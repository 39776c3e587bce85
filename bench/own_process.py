"""Runs a module of the bench in a process of its own, for its own peak of memory."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

ROOT = Path(__file__).parents[1]
T = TypeVar("T")


def in_own_process(
    module: str, arguments: tuple[str, ...], settings: Mapping[str, str], kind: type[T]
) -> T:
    """What the module prints as its last line, JSON; RuntimeError where it does not end well."""
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
