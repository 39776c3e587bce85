"""Searches for an input that breaks a promise, guided by coverage: `python -m tests.fuzz.soak`.

Each target runs in its own process, because libFuzzer never returns. `--seconds` is for each
target. Exits with 1 at the first broken promise, with 2 if atheris is not installed.
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
    "events": ("test_events", "test_an_event_is_read_or_its_wrong_field_is_named"),
    "bodies": ("test_bodies", "test_a_body_is_read_or_every_fault_is_named"),
    "cursors": ("test_cursors", "test_a_cursor_opens_its_own_list_or_is_refused"),
    "headers": ("test_headers", "test_only_a_known_token_is_allowed_and_none_is_printed"),
    "csv": ("test_csv", "test_a_csv_is_harmless_and_complete"),
    "cells": ("test_csv", "test_a_cell_of_any_text_is_harmless"),
    "alerts": ("test_slack", "test_an_alert_is_accepted_and_harmless"),
    "months": ("test_slack", "test_a_monthly_report_is_accepted_and_harmless"),
    "inspec": ("test_inspec", "test_a_report_is_loaded_or_refused_in_one_line"),
}
INSTRUMENTED = ["chalicelib", "devstack"]
MISSING = "atheris is not installed, so nothing was tested. Run `make soak`, which installs it."
# Most bytes that libFuzzer gives to Hypothesis, which reads 8 KiB at most. It starts with random
# bytes of these lengths, because an alert needs many.
MAX_LENGTH = 8_192
FIRST_LENGTHS = (256, 1_024, 4_096, 8_192) * 8
# Share of inputs that are drawn anew. Most inputs read only their first bytes, so that a change
# of other bytes changes nothing.
FRESH = 0.5
# Complete inputs between two writes of their number. libFuzzer exits without a final call.
COUNT_EVERY = 10
SLOWEST = 60
EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
SHOWN_INPUT, SHOWN_LINES = 4_000, 40


def main() -> int:
    """Fuzzes every target, or the target of this child process."""
    options = parse_arguments()
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write(f"{MISSING}\n")
        return 2
    if options.target:
        fuzz(options.target, options.seconds, options.seed, options.place)
    return soak(options.seconds, options.seed)


def parse_arguments() -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random numbers (any)")
    parser.add_argument("--target", choices=TARGETS, help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.seconds < 1 or not 0 <= options.seed < 2**31:
        parser.error("give at least 1 second, and a seed from 0 (any) to 2147483647")
    # for 0 libFuzzer would choose a seed that it does not print
    options.seed = options.seed or 1 + secrets.randbelow(2**31 - 1)
    return options


def soak(seconds: int, seed: int) -> int:
    """Runs the targets one after the other until one breaks."""
    print_line(f"seed {seed}, {seconds} s for each of {len(TARGETS)} targets")
    for target in TARGETS:
        with tempfile.TemporaryDirectory() as place:
            ended = run_child(target, seconds, seed, place)
            executed = EXECUTED.search(ended.stderr)
            executions, complete = int(executed[1]) if executed else 0, read_count(Path(place))
            found = sorted(Path(place, "found").iterdir())
            if ended.returncode == 0 and complete and not found:
                tried = f"{executions:,} executions, {complete:,} complete inputs"
                print_line(f"{target}: {tried}, nothing broken")
                continue
            print_line(f"{target}: BROKEN, with seed {seed}, after {executions:,} executions")
            print_line(ended.stdout.strip() or cut_to_end(ended.stderr))
            for path in found:
                print_line(f"{path.name}: {path.read_bytes().hex()[:SHOWN_INPUT]}")
            return 1
    return 0


def run_child(target: str, seconds: int, seed: int, place: str) -> subprocess.CompletedProcess[str]:
    """Fuzzes one target in its own process, to the end."""
    for name in ("first", "found"):
        Path(place, name).mkdir()
    chance = random.Random(seed)  # noqa: S311 - repeatable
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


def read_count(place: Path) -> int:
    """Reads the number of complete inputs that a child has written."""
    count = place / "count"
    return int(count.read_text(encoding="ascii") or 0) if count.exists() else 0


def fuzz(target: str, seconds: int, seed: int, place: Path) -> None:
    """Gives bytes to Hypothesis until the time is up or a promise is broken. Never returns."""
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

    def mutate(data: bytes, most: int, chosen: int) -> bytes:
        """Returns a change of useful bytes or, as often, new random bytes."""
        chance = random.Random(chosen)  # noqa: S311 - repeatable
        if chance.random() < FRESH:
            return chance.randbytes(min(most, chance.choice(FIRST_LENGTHS)))
        changed: bytes = atheris.Mutate(data, most)
        return changed

    run = count_inputs(test.hypothesis.fuzz_one_input, place / "count")
    atheris.Setup([sys.argv[0], *options], run, custom_mutator=mutate)
    atheris.Fuzz()


def count_inputs(run: Callable[[bytes], object], count: Path) -> Callable[[bytes], None]:
    """Counts complete inputs, and prints the input that breaks a promise."""
    complete = 0

    def run_once(data: bytes) -> None:
        nonlocal complete
        try:
            # None if the bytes were too few for an input
            complete += run(data) is not None
            if complete % COUNT_EVERY == 0:
                count.write_text(str(complete), encoding="ascii")
        except Exception as error:
            print_line(f"{type(error).__name__}: {error}"[:SHOWN_INPUT])
            print_line(f"input: {find_input(error.__traceback__)!r}"[:SHOWN_INPUT])
            raise

    return run_once


def find_input(trace: TracebackType | None) -> object:
    """Returns the argument of the first `check_…` function in a traceback."""
    while trace:
        code = trace.tb_frame.f_code
        if code.co_name.startswith("check_"):
            return trace.tb_frame.f_locals[code.co_varnames[0]]
        trace = trace.tb_next
    return None


def cut_to_end(text: str) -> str:
    """Returns the last lines."""
    return "\n".join(text.splitlines()[-SHOWN_LINES:])


def print_line(text: str) -> None:
    """Prints a line at once, with escapes for characters that the terminal lacks."""
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
