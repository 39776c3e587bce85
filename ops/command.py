"""What all operator's commands share: a stage to work on, and one line where they stop."""

import argparse
import sys
from collections.abc import Callable

from ops.stop import Stop


def stage_parser(command: str, description: str | None) -> argparse.ArgumentParser:
    """A parser of `python -m infra.<command>` that knows --stage."""
    parser = argparse.ArgumentParser(prog=f"python -m ops.{command}", description=description)
    parser.add_argument("--stage", required=True, help="a stage of .chalice/config.json")
    return parser


def ended(command: str, work: Callable[[], int | None]) -> int:
    """The exit code of a command: that of `work` (none is 0), 1 where it stopped."""
    try:
        return work() or 0
    except Stop as stop:
        sys.stderr.write(f"{command} stopped: {stop}\n")
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{command} was interrupted; what it began may be half done\n")
    return 1


def say(line: str) -> None:
    """Tell the operator, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
