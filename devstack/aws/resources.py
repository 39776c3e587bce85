"""Creates the tables and the bucket of infra/data.yaml at a local endpoint.

Parts of the template that matter only on AWS (backups, encryption, policies, lifecycle) are
left out.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import yaml

from devstack.aws.session import make_session
from devstack.environment import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

DATA_TEMPLATE = Path(__file__).parents[2] / "infra" / "data.yaml"
# The table properties that DynamoDB Local understands too.
TABLE_KEYS = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")


@dataclass(frozen=True, slots=True)
class Tables:
    """The names of the three tables."""

    findings: str
    nodes: str
    ledger: str


@dataclass(frozen=True, slots=True)
class Resources:
    """The names of the tables and the bucket, as the settings of a stage need them."""

    findings_table: str
    nodes_table: str
    ledger_table: str
    reports_bucket: str


def create_resources(url: str, stage: str = "dev") -> Resources:
    """Create the tables and the bucket of `stage` at the endpoint `url`. None may exist yet."""
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
    """Create the three tables. `prefix` leads each name, so that tests can have their own.

    moto and DynamoDB Local have the tables ready when this returns.
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


class _Sub(Template):
    """The placeholders of `Fn::Sub`: `${Name}`, and pseudo parameters like `${AWS::Region}`."""

    idpattern = r"[A-Za-z0-9:.]+"


class _ShortForms(yaml.SafeLoader):
    """Reads `!Sub value` as `{"Fn::Sub": value}`, and `!Ref name` as `{"Ref": name}`."""


def _expand_short_form(
    loader: _ShortForms, suffix: str, node: yaml.ScalarNode | yaml.SequenceNode
) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_ShortForms.add_multi_constructor("!", _expand_short_form)


@cache
def _read_resources() -> Mapping[str, Any]:
    with DATA_TEMPLATE.open(encoding="utf-8") as source:
        template = yaml.load(source, _ShortForms)  # noqa: S506 - derives from SafeLoader
    resources: Mapping[str, Any] = template["Resources"]
    return resources


def read_properties(logical_id: str) -> Mapping[str, Any]:
    """Return the `Properties` of a resource, with intrinsic functions in their long form."""
    properties: Mapping[str, Any] = _read_resources()[logical_id]["Properties"]
    return properties


def substitute_names(value: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Return the text of `{"Fn::Sub": text}` with `names` filled in, or raise KeyError."""
    return _Sub(value["Fn::Sub"]).substitute(names)
