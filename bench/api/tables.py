"""Fills tables on DynamoDB Local with any number of findings, and builds settings for the API."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from botocore.config import Config

from chalicelib.adapters.dynamodb.inventory import DynamoFindings
from chalicelib.domain.finding import Finding, Severity
from devstack.aws.resources import Tables, create_tables
from devstack.aws.session import make_session
from devstack.environment import build_settings

ROOT = Path(__file__).parents[2]
# A page of 100 findings holds those of one node.
FINDINGS_A_NODE = 100
WRITERS = 8
# Nothing listens here.
NOWHERE = "http://127.0.0.1:9"


def make_instance_id(number: int) -> str:
    """The instance id of a node."""
    return f"i-{number:017x}"


def make_findings(number: int) -> Iterator[Finding]:
    """The findings of a node."""
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    for each in range(FINDINGS_A_NODE):
        yield Finding(
            instance_id=make_instance_id(number),
            title=f"Control {each} must hold : {'x' * 80}",
            severity=Severity.HIGH,
            control_id=f"bench-{each}",
            first_seen=now,
            scan_id="bench",
        )


def create_filled_tables(url: str, findings: int) -> Tables:
    """Create tables with this many findings on the DynamoDB at `url`."""
    session = make_session()
    with closing(session.client("dynamodb", endpoint_url=url)) as dynamodb:
        tables = create_tables(dynamodb, stage=f"bench-{findings}")
    config = Config(max_pool_connections=WRITERS)
    resource = session.resource("dynamodb", endpoint_url=url, config=config)
    store = DynamoFindings(resource.Table(tables.findings))
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(store.put, map(make_findings, range(findings // FINDINGS_A_NODE))))
    resource.meta.client.close()
    return tables


def build_api_settings(aws_url: str, tables: Tables) -> dict[str, str]:
    """The settings of an API over these tables."""
    return build_settings(
        aws_url=aws_url,
        slack_url=f"{NOWHERE}/api/",
        findings_table=tables.findings,
        nodes_table=tables.nodes,
        ledger_table=tables.ledger,
        reports_bucket="bench",
    )
