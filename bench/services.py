"""The services of a measurement: SSM, Slack, S3 and DynamoDB Local. Runs one scan on them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from rich.console import Console

from bench.processes import Notify, run_module
from bench.results import MeasuredScan
from bench.ssm.process import SsmProcess, start_ssm
from devstack.aws.resources import create_tables
from devstack.aws.session import make_session
from devstack.dynamodb_local import describe_missing, run_dynamodb_local
from devstack.environment import build_settings, isolate
from devstack.stack import Stack, run_stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")
Variant = Literal["ours", "baseline"]
VARIANTS: tuple[Variant, ...] = ("ours", "baseline")


@dataclass(frozen=True, slots=True)
class Services:
    """The running services. Each variant has an environment that names its own tables."""

    ssm: SsmProcess
    environments: Mapping[Variant, Mapping[str, str]]
    dynamodb: "DynamoDBClient"

    def recreate_tables(self) -> None:
        """Replace all tables with empty ones."""
        for name in self.dynamodb.list_tables()["TableNames"]:
            self.dynamodb.delete_table(TableName=name)
        for variant in VARIANTS:
            create_tables(self.dynamodb, stage=variant)

    def run_scan(
        self,
        variant: Variant = "ours",
        settings: Mapping[str, str] | None = None,
        *,
        may_fail: bool = False,
    ) -> MeasuredScan:
        """Run a scan in a process of its own, with `settings` added to its environment.

        RuntimeError if the scan fails, unless it may.
        """
        environment = {**self.environments[variant], **(settings or {})}
        scan = run_module("bench.measure_scan", (variant,), environment, MeasuredScan)
        if scan.failure and not may_fail:
            raise RuntimeError(f"{variant}: {scan.failure}")
        return scan


def measure_on_services(measure: Callable[[Services, Notify], T]) -> T:
    """Starts all services, and returns the result of `measure`. A spinner shows its progress.

    Ends the program if DynamoDB Local is not available.
    """
    isolate()
    if describe_missing():
        raise SystemExit(f"The bench needs DynamoDB Local: {describe_missing()}")
    with Console(soft_wrap=True).status("starting") as status, start_services() as services:
        return measure(services, status.update)


@contextmanager
def start_services(
    engine: Callable[[Stack], AbstractContextManager[str]] = lambda _: run_dynamodb_local(),
) -> Iterator[Services]:
    """Run all services with empty tables while the block lasts. `engine` yields DynamoDB's URL."""
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
            yield Services(ssm, environments, dynamodb)
