"""Tables of the size asked for on DynamoDB Local, and a process of the API on each."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from botocore.config import Config

from bench.api_worker import Measured
from chalicelib.adapters.dynamodb_findings import DynamoFindings
from chalicelib.domain.finding import Finding, Severity
from devstack.aws.resources import Tables, create_tables
from devstack.aws.session import make_session
from devstack.dynamodb_local import run_dynamodb_local
from devstack.environment import build_settings

ROOT = Path(__file__).parents[1]
# Findings of a node: a page of 100 is one node's.
PER_NODE = 100
WRITERS = 8
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Api:
    """A process of the API over a table of `findings` rows."""

    findings: int
    process: "subprocess.Popen[str]"

    @property
    def nodes(self) -> int:
        """How many nodes have findings."""
        return self.findings // PER_NODE

    def get(self, target: str) -> Measured:
        """Let it answer one request; the time is measured in the process itself."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the process has no pipes")
        self.process.stdin.write(f"{target}\n")
        self.process.stdin.flush()
        made = msgspec.json.decode(self.process.stdout.readline(), type=Measured)
        if made.status != 200:
            raise RuntimeError(f"{target} was answered with {made.status}")
        return made


@contextmanager
def apis(sizes: Sequence[int]) -> Iterator[tuple[Api, ...]]:
    """One API for each size, each over tables of its own, while the block lasts."""
    with run_dynamodb_local() as url, ExitStack() as block:
        made = []
        for size in sizes:
            tables = filled(url, size)
            env = {**os.environ, **api_settings(url, tables)}
            made.append(Api(size, block.enter_context(_process(env))))
        yield tuple(made)


def node_id(number: int) -> str:
    """The instance id of a node."""
    return f"i-{number:017x}"


def filled(url: str, size: int) -> Tables:
    """Tables with `size` findings on the DynamoDB at `url`, `PER_NODE` a node."""
    session = make_session()
    with closing(session.client("dynamodb", endpoint_url=url)) as dynamodb:
        tables = create_tables(dynamodb, stage=f"bench-{size}")
    config = Config(max_pool_connections=WRITERS)
    resource = session.resource("dynamodb", endpoint_url=url, config=config)
    store = DynamoFindings(resource.Table(tables.findings))
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(store.put, (findings_of(number) for number in range(size // PER_NODE))))
    resource.meta.client.close()
    return tables


def findings_of(number: int) -> list[Finding]:
    """The findings of a node."""
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    return [
        Finding(
            instance_id=node_id(number),
            title=f"Control {each} must hold : {'x' * 80}",
            severity=Severity.HIGH,
            control_id=f"bench-{each}",
            first_seen=now,
            scan_id="bench",
        )
        for each in range(PER_NODE)
    ]


def api_settings(aws_url: str, tables: Tables) -> dict[str, str]:
    """The settings of an API over these tables."""
    return build_settings(
        aws_url=aws_url,
        slack_url=f"{NOWHERE}/api/",
        findings_table=tables.findings,
        nodes_table=tables.nodes,
        ledger_table=tables.ledger,
        reports_bucket="bench",
    )


@contextmanager
def _process(env: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "bench.api_worker"],
        cwd=ROOT,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        if process.stdin:
            process.stdin.close()
