"""The terminal: one-line failures, immediate output, and questions before a change."""

import os
import sys
from collections.abc import Mapping
from typing import TextIO


class CommandError(Exception):
    """Ends a command. The text is one line: what happened, to what, and what to do."""


def print_line(text: str) -> None:
    """Print `text` without buffering, so that it stays in order with the output of Chalice."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def confirm(
    question: str,
    expected: str = "y",
    env: Mapping[str, str] = os.environ,
    source: TextIO = sys.stdin,
) -> None:
    """Return if the operator confirms, raise `CommandError` if not.

    The operator types `expected` at a terminal or sets the variable YES to it.
    YES=1 also stands for y.
    """
    preset = env.get("YES", "")
    accepted = {"y", "1"} if expected == "y" else {expected}
    shown = "1" if expected == "y" else expected
    if preset:
        if preset not in accepted:
            raise CommandError(
                f"YES={preset} does not confirm this, so nothing was done; set YES={shown}"
            )
        return
    if not source.isatty():
        raise CommandError(f"not a terminal, so cannot ask; set YES={shown} to confirm")
    sys.stdout.write(f"{question} ")
    sys.stdout.flush()
    if source.readline().strip().lower() != expected:
        raise CommandError("not confirmed, so nothing was done")
