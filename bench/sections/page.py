"""The head of docs/benchmarks.md, and the Markdown helpers of all sections."""

from collections.abc import Iterable, Sequence
from textwrap import wrap

from bench.results import Result

WIDTH = 100

HEAD = """\
# Benchmarks

**The comparison with the baseline is not a claim of speed.** The baseline on this page calls
GetItem once for each finding. No program that people run does that. A fair baseline lists the
nodes, lists the items of each node, scans the table once, compares in memory, and writes row by
row. It has not been measured yet. Until then, the ratios to the baseline only guard against
regressions.

**Sections of 26 November 2026 measured an earlier store**, which looked stored findings up. Since
then node rows list them ([decision 36](decisions/0036-node-rows-list-open-findings.md)).

`python -m bench.report` generates this page from the files in `bench/results`. Do not edit it.

- `make bench` takes 8 to 15 minutes. It measures 1,000 and 10,000 findings, the floor, cold starts,
  and the API under load. At 10,000 findings the baseline's calls are computed. Five rounds run, and
  none starts after 200 seconds.
- `make bench-full` takes 50 to 100 minutes. It measures everything else: five rounds of the
  baseline at 10,000 findings, 100,000 findings, growth, throttling, bad input, the API by size of
  the fleet, monthly reports, and a simulated change of 100,000 nodes.
- Both commands need DynamoDB Local, which `make setup` installs. Each one updates only its own
  sections.
- The machine had 2 cores and shared them with other work. The speed of a core changed by a factor
  of four within an hour, so seconds differ between machines and runs. Compare calls, units, and
  ratios within one run.
- Each scan is a process of its own that reports its peak memory and its calls. SSM, DynamoDB Local,
  Slack and S3 are other processes. SSM and Slack are stand-ins, without latency unless stated.
  Calls to Slack are not counted.
- DynamoDB Local reports the units of one row a table for a transaction. The write units of
  transactions are computed since 28 November 2026, so those of older sections are too low.
- The baseline (`bench/baseline.py`) is simple and correct. It lists the items of every node, looks
  up each finding with GetItem, writes new ones with PutItem, scans the table once, and deletes
  fixed ones with DeleteItem. It has one client and makes one call at a time. If its calls are
  *computed*, it did not run.
"""


def render_table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> list[str]:
    """A Markdown table. The first `words` columns hold words, the others hold numbers."""
    ruler = ["---"] * words + ["---:"] * (len(head) - words)
    return [f"| {' | '.join(row)} |" for row in (head, ruler, *rows)]


def wrap_prose(line: str) -> list[str]:
    """Wraps a line of prose to `WIDTH` characters. Tables, lists and bold lines stay whole."""
    if not line[:1].isalnum():
        return [line]
    return wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)


def describe_measurement(result: Result, runs: int | str) -> list[str]:
    """The first lines of a section: the date, the cores, and the number of runs."""
    when = f"Measured on {result.when}" if result.when else "Measured on an unknown date"
    cores = f", {result.cores} cores" if result.cores else ""
    times = runs if isinstance(runs, str) else f"{runs} run{'s' * (runs != 1)}"
    return [f"{when}{cores}; {times}.", ""]
