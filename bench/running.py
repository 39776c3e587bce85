"""What a comparison runs on: SSM, Slack, S3 and DynamoDB Local; and one scan on them."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
from rich.console import Console

from bench.figures import Run
from bench.ssm.process import SsmProcess, start_ssm
from devstack.aws.resources import create_tables
from devstack.aws.session import make_session
from devstack.dynamodb_local import describe_missing, run_dynamodb_local
from devstack.environment import build_settings, isolate
from devstack.stack import Stack, run_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Made = TypeVar("Made")
Variant = Literal["ours", "plain"]
VARIANTS: tuple[Variant, ...] = ("ours", "plain")
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Bench:
    """What is running; `environments` are the settings of each variant, with its own tables."""

    ssm: SsmProcess
    environments: Mapping[Variant, Mapping[str, str]]
    dynamodb: "DynamoDBClient"

    def empty(self) -> None:
        """Take all rows away, as on the first day."""
        for name in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.delete_table(TableName=name)
        for variant in VARIANTS:
            create_tables(self.dynamodb, stage=variant)

    def run(
        self,
        variant: Variant = "ours",
        more: Mapping[str, str] | None = None,
        *,
        fails: bool = False,
    ) -> Run:
        """One scan in a process of its own, `more` in its environment.

        RuntimeError where it does not get to its end, unless it may.
        """
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "bench.measured", variant],
            cwd=ROOT,
            env={**os.environ, **self.environments[variant], **(more or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{variant}: {done.stderr[-2000:]}")
        run = msgspec.json.decode(done.stdout.splitlines()[-1], type=Run)
        if run.failure and not fails:
            raise RuntimeError(f"{variant}: {run.failure}")
        return run


def on_engines(measure: Callable[[Bench, Callable[[str], None]], Made]) -> Made:
    """What `measure` finds with everything running; it may tell how far it is.

    Ends the program where DynamoDB Local cannot be had.
    """
    isolate()
    if describe_missing():
        raise SystemExit(f"The bench needs DynamoDB Local: {describe_missing()}")
    with Console(soft_wrap=True).status("starting") as status, bench() as running:
        return measure(running, status.update)


@contextmanager
def bench(
    engine: Callable[[Stack], AbstractContextManager[str]] = lambda _: run_dynamodb_local(),
) -> Iterator[Bench]:
    """Run everything, with empty tables, while the block lasts; `engine` gives DynamoDB's URL."""
    with start_ssm() as ssm, run_stack() as running, engine(running) as url:
        environments: dict[Variant, Mapping[str, str]] = {}
        with closing(make_session().client("dynamodb", endpoint_url=url)) as dynamodb:
            for variant in VARIANTS:
                tables = create_tables(dynamodb, stage=variant)
                environments[variant] = {
                    **build_settings(
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
            yield Bench(ssm, environments, dynamodb)
