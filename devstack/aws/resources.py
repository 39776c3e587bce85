"""Create the tables and the bucket of infra/data.yaml at a local endpoint.

What only matters on AWS (backups, encryption, policies, lifecycle) stays with the template.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devstack.aws.session import ACCOUNT, REGION, local_session
from devstack.aws.template import properties, substituted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# What DynamoDB Local understands too.
TABLE_KEYS = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of the three tables."""

    findings: str
    nodes: str
    ledger: str


@dataclass(frozen=True, slots=True)
class Resources:
    """The names of all that was created, as the settings of a stage want them."""

    findings_table: str
    nodes_table: str
    ledger_table: str
    reports_bucket: str


def create_resources(url: str, stage: str = "dev") -> Resources:
    """Create the tables and the bucket of `stage` at the endpoint `url`, none may exist yet."""
    session = local_session()
    names = {"Stage": stage, "AWS::AccountId": ACCOUNT, "AWS::Region": REGION}
    bucket = substituted(properties("ReportsBucket")["BucketName"], names)
    with (
        closing(session.client("dynamodb", endpoint_url=url)) as dynamodb,
        closing(session.client("s3", endpoint_url=url)) as s3,
    ):
        tables = create_tables(dynamodb, stage=stage)
        s3.create_bucket(Bucket=bucket)
    return Resources(tables.findings, tables.nodes, tables.ledger, bucket)


def create_tables(dynamodb: DynamoDBClient, prefix: str = "", stage: str = "dev") -> Tables:
    """Create the three tables, empty, each name led by `prefix` so that tests keep apart.

    Works on moto and on DynamoDB Local; both have a table ready when the call returns.
    """
    return Tables(
        findings=_create_table(dynamodb, "FindingsTable", prefix, stage),
        nodes=_create_table(dynamodb, "NodesTable", prefix, stage),
        ledger=_create_table(dynamodb, "LedgerTable", prefix, stage),
    )


def _create_table(dynamodb: DynamoDBClient, logical_id: str, prefix: str, stage: str) -> str:
    table = properties(logical_id)
    name = prefix + substituted(table["TableName"], {"Stage": stage})
    dynamodb.create_table(TableName=name, **{key: table[key] for key in TABLE_KEYS if key in table})
    if "TimeToLiveSpecification" in table:
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification=table["TimeToLiveSpecification"]
        )
    return name
