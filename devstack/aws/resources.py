"""Create the tables and the bucket of infra/data.yaml at a local endpoint.

What only matters on AWS (backups, encryption, policies, lifecycle) stays with the template.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

from devstack.aws.session import ACCOUNT, REGION, make_session

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    session = make_session()
    names = {"Stage": stage, "AWS::AccountId": ACCOUNT, "AWS::Region": REGION}
    bucket = substitute_names(read_properties("ReportsBucket")["BucketName"], names)
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
    table = read_properties(logical_id)
    name = prefix + substitute_names(table["TableName"], {"Stage": stage})
    dynamodb.create_table(TableName=name, **{key: table[key] for key in TABLE_KEYS if key in table})
    if "TimeToLiveSpecification" in table:
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification=table["TimeToLiveSpecification"]
        )
    return name


DATA_TEMPLATE = Path(__file__).parents[2] / "infra" / "data.yaml"


class _Sub(Template):
    """The `${Name}` of `Fn::Sub`, pseudo parameters like `${AWS::Region}` included."""

    idpattern = r"[A-Za-z0-9:.]+"


class _ShortForms(yaml.SafeLoader):
    """YAML in which `!Sub value` stands for `{"Fn::Sub": value}`, and `!Ref` for `{"Ref": …}`."""


def _long_form(
    loader: _ShortForms, suffix: str, node: yaml.ScalarNode | yaml.SequenceNode
) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_ShortForms.add_multi_constructor("!", _long_form)


@cache
def _resources() -> Mapping[str, Any]:
    with DATA_TEMPLATE.open(encoding="utf-8") as source:
        template = yaml.load(source, _ShortForms)  # noqa: S506 - derives from SafeLoader
    resources: Mapping[str, Any] = template["Resources"]
    return resources


def read_properties(logical_id: str) -> Mapping[str, Any]:
    """Return the `Properties` of one resource, intrinsic functions in their long form."""
    found: Mapping[str, Any] = _resources()[logical_id]["Properties"]
    return found


def substitute_names(value: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Return the text of `{"Fn::Sub": text}` with `names` put in; KeyError for one missing."""
    return _Sub(value["Fn::Sub"]).substitute(names)
