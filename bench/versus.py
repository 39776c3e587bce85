"""The pass against the first idea: calls, units, seconds, memory, in the same run.

`python -m bench.versus [--findings 1000 10000] [--rounds 5]` prints a table and writes
docs/benchmarks.md.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cases import FINDINGS_A_NODE, ROUND, Case
from bench.ssm.process import SsmProcess, ssm_process
from devstack.aws.resources import create_tables
from devstack.aws.session import local_session
from devstack.dynamodb_local import dynamodb_local, missing
from devstack.environment import isolate, settings_env
from devstack.stack import stack

VARIANTS = ("ours", "plain")


@dataclass(frozen=True, slots=True)
class Bench:
    """What is running; `environments` are the settings of each variant."""

    ssm: SsmProcess
    environments: Mapping[str, Mapping[str, str]]

    def run(self, variant: str, case: Case, **more: str) -> dict[str, Any]:
        """One scan in a process of its own."""
        self.ssm.limits(rate=case.rate)
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "bench.measured", variant],
            env={**os.environ, **self.environments[variant], **more},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{variant}, {case.name}: {done.stderr[-2000:]}")
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return figures


@contextmanager
def bench() -> Iterator[Bench]:
    """Run SSM, DynamoDB Local, Slack and S3, with tables of its own for each variant."""
    with ssm_process() as ssm, stack() as running, dynamodb_local() as url:
        environments = {}
        with closing(local_session().client("dynamodb", endpoint_url=url)) as dynamodb:
            for variant in VARIANTS:
                tables = create_tables(dynamodb, stage=variant)
                environments[variant] = {
                    **settings_env(
                        aws_url=running.aws.url,
                        slack_url=running.slack.base_url,
                        findings_table=tables.findings,
                        nodes_table=tables.nodes,
                        ledger_table=tables.ledger,
                        reports_bucket=running.resources.reports_bucket,
                    ),
                    "AWS_ENDPOINT_URL_DYNAMODB": url,
                    "AWS_ENDPOINT_URL_SSM": ssm.url,
                }
        yield Bench(ssm, environments)


def rounds(
    running: Bench, findings: int, number: int, variants: Sequence[str] = VARIANTS
) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The figures of all rounds by case and variant; the variants take turns."""
    nodes = findings // FINDINGS_A_NODE
    figures: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for _ in range(number):
        for case in ROUND:
            case.prepare(running.ssm, nodes)
            for variant in variants:
                figures.setdefault((case.name, variant), []).append(running.run(variant, case))
    return figures


def show(
    console: Console, findings: int, figures: Mapping[tuple[str, str], list[dict[str, Any]]]
) -> None:
    """Print medians, spread and ratios."""
    table = Table(title=f"{findings:,} findings, {findings // FINDINGS_A_NODE:,} nodes")
    for column in ("case", "", "calls", "read units", "write units", "seconds", "spread", "MB"):
        table.add_column(column, justify="left" if column in {"case", ""} else "right")
    for case in ROUND:
        by_variant = {}
        for variant in VARIANTS:
            runs = figures.get((case.name, variant))
            if not runs:
                continue
            calls = median(sum(run["calls"].values()) for run in runs)
            seconds = [run["seconds"] for run in runs]
            by_variant[variant] = (calls, median(seconds))
            table.add_row(
                case.name if variant == "ours" else "",
                variant,
                f"{calls:,.0f}",
                f"{median(run['read_units'] for run in runs):,.0f}",
                f"{median(run['write_units'] for run in runs):,.0f}",
                f"{median(seconds):.2f}",
                f"{min(seconds):.2f} to {max(seconds):.2f}",
                f"{max(run['peak_mb'] for run in runs):.0f}",
            )
        if len(by_variant) == len(VARIANTS):
            (our_calls, our_seconds), (calls, seconds_) = (by_variant[v] for v in VARIANTS)
            table.add_row(
                "", "ratio", f"{calls / our_calls:.1f}", "", "", f"{seconds_ / our_seconds:.1f}"
            )
        table.add_section()
    console.print(table)


def main() -> int:
    """Compare; 1 where DynamoDB Local is missing."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--findings", type=int, nargs="+", default=[1_000, 10_000])
    arguments.add_argument("--rounds", type=int, default=5)
    wanted = arguments.parse_args()
    isolate()
    if missing():
        Console(stderr=True).print(f"The bench needs DynamoDB Local: {missing()}")
        return 1
    console = Console(highlight=False, width=120)
    for findings in wanted.findings:
        with bench() as running:
            show(console, findings, rounds(running, findings, wanted.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
