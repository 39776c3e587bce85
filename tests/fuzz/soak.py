"""Guided by coverage, look for an input that breaks a promise: `python -m tests.fuzz.soak`.

Each target runs in a process of its own, since libFuzzer never returns. `--seconds` is for
each target. Ends with 1 at the first broken promise, with 2 where atheris is missing.
"""

import argparse
import importlib
import importlib.util
import random
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from devstack.environment import isolate

# Test module and test of each target.
TARGETS = {
    "events": ("test_events", "test_an_event_is_read_or_refused_with_its_field"),
    "cursors": ("test_cursors", "test_a_cursor_opens_its_own_list_or_is_refused"),
    "headers": ("test_headers", "test_only_a_known_token_is_let_in_and_none_is_repeated"),
    "csv": ("test_csv", "test_a_csv_is_harmless_and_whole"),
    "cells": ("test_csv", "test_a_cell_is_harmless_whatever_it_is_made_of"),
    "alerts": ("test_slack", "test_an_alert_is_taken_and_harmless"),
    "months": ("test_slack", "test_a_monthly_report_is_taken_and_harmless"),
    "inspec": ("test_inspec", "test_a_report_is_loaded_or_refused_in_a_line"),
}
INSTRUMENTED = ["chalicelib", "devstack"]
MISSING = "atheris is not installed, so nothing was tried; install the version that is locked."
# Bytes that libFuzzer may hand to Hypothesis, which reads 8 KiB at most. It begins with random
# ones of these lengths: from nothing it would hardly come to enough of them for one alert.
MAX_LENGTH = 8_192
FIRST_LENGTHS = (256, 1_024, 4_096, 8_192) * 8
# An input often reads the first of its bytes only, so that changing others changes nothing.
FRESH = 0.5
# How often the number of whole inputs is written down; libFuzzer ends without a last word.
COUNT_EVERY = 10
SLOWEST = 60
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
SHOWN_INPUT, SHOWN_LINES = 4_000, 40


def main() -> int:
    """Fuzz every target, or the one that a child process is for."""
    wanted = arguments()
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write(f"{MISSING}\n")
        return 2
    if wanted.target:
        fuzz(wanted.target, wanted.seconds, wanted.seed, wanted.place)
    return soak(wanted.seconds, wanted.seed)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--seed", type=int, default=0, help="what chance begins with (any)")
    parser.add_argument("--target", choices=TARGETS, help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.seconds < 1 or not 0 <= wanted.seed < 2**31:
        parser.error("give at least 1 second, and a seed from 0 (any) to 2147483647")
    # libFuzzer chooses one by itself for 0, and then it cannot be given again
    wanted.seed = wanted.seed or 1 + secrets.randbelow(2**31 - 1)
    return wanted


def soak(seconds: int, seed: int) -> int:
    """Run the targets one after the other until one breaks."""
    say(f"seed {seed}, {seconds} s for each of {len(TARGETS)} targets")
    for target in TARGETS:
        with tempfile.TemporaryDirectory() as place:
            ended = child(target, seconds, seed, place)
            executed = EXECUTED.search(ended.stderr)
            executions, whole = int(executed[1]) if executed else 0, counted(Path(place))
            found = sorted(Path(place, "found").iterdir())
            if ended.returncode == 0 and whole and not found:
                say(f"{target}: {executions:,} executions, {whole:,} whole inputs, nothing broken")
                continue
            say(f"{target}: BROKEN, with seed {seed}, after {executions:,} executions")
            say(ended.stdout.strip() or tail(ended.stderr))
            for path in found:
                say(f"{path.name}: {path.read_bytes().hex()[:SHOWN_INPUT]}")
            return 1
    return 0


def child(target: str, seconds: int, seed: int, place: str) -> subprocess.CompletedProcess[str]:
    """Fuzz one target in a process of its own, to the end."""
    for name in ("first", "found"):
        Path(place, name).mkdir()
    chance = random.Random(seed)  # noqa: S311 - the same again for the same seed
    for number, length in enumerate(FIRST_LENGTHS):
        Path(place, "first", str(number)).write_bytes(chance.randbytes(length))
    options = ["--seconds", str(seconds), "--seed", str(seed), "--place", place]
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "tests.fuzz.soak", "--target", target, *options],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def counted(place: Path) -> int:
    """How many inputs a child has written down."""
    count = place / "count"
    return int(count.read_text(encoding="ascii") or 0) if count.exists() else 0


def fuzz(target: str, seconds: int, seed: int, place: Path) -> None:
    """Hand bytes to Hypothesis until time is up or a promise is broken; never returns."""
    isolate()
    atheris: Any = importlib.import_module("atheris")
    module, name = TARGETS[target]
    with atheris.instrument_imports(include=INSTRUMENTED):
        test: Any = getattr(importlib.import_module(f"tests.fuzz.{module}"), name)
    options = [
        *(f"-max_total_time={seconds}", f"-seed={seed}", f"-artifact_prefix={place}/found/"),
        *(f"-max_len={MAX_LENGTH}", f"-timeout={SLOWEST}", "-len_control=0"),
        *("-print_final_stats=1", "-verbosity=0", f"{place}/first"),
    ]

    def mutated(data: bytes, most: int, chosen: int) -> bytes:
        """Bytes like those that led somewhere new, or, as often, quite other ones."""
        chance = random.Random(chosen)  # noqa: S311 - the same again for the same seed
        if chance.random() < FRESH:
            return chance.randbytes(min(most, chance.choice(FIRST_LENGTHS)))
        changed: bytes = atheris.Mutate(data, most)
        return changed

    run = told(test.hypothesis.fuzz_one_input, place / "count")
    atheris.Setup([sys.argv[0], *options], run, custom_mutator=mutated)
    atheris.Fuzz()


def told(run: Callable[[bytes], object], count: Path) -> Callable[[bytes], None]:
    """The same, but counted, and what breaks a promise is printed with its input."""
    whole = 0

    def one(data: bytes) -> None:
        nonlocal whole
        try:
            # None where the bytes did not suffice for an input
            whole += run(data) is not None
            if whole % COUNT_EVERY == 0:
                count.write_text(str(whole), encoding="ascii")
        except Exception as error:
            say(f"{type(error).__name__}: {error}"[:SHOWN_INPUT])
            say(f"input: {checked_input(error.__traceback__)!r}"[:SHOWN_INPUT])
            raise

    return one


def checked_input(trace: TracebackType | None) -> object:
    """The argument of the first `check_…` function that an error came through."""
    while trace:
        code = trace.tb_frame.f_code
        if code.co_name.startswith("check_"):
            return trace.tb_frame.f_locals[code.co_varnames[0]]
        trace = trace.tb_next
    return None


def tail(text: str) -> str:
    """The end of what libFuzzer said."""
    return "\n".join(text.splitlines()[-SHOWN_LINES:])


def say(text: str) -> None:
    """Print a line at once, whatever the terminal can show."""
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
