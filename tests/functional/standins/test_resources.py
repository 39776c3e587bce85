from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from devstack.aws.resources import Resources, Tables, create_resources, create_tables
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: AwsServer) -> Iterator["DynamoDBClient"]:
    with closing(make_session().client("dynamodb", endpoint_url=server.url)) as dynamodb:
        yield dynamodb


@pytest.fixture
def dynamodb(server: AwsServer, client: "DynamoDBClient") -> "DynamoDBClient":
    server.reset()
    return client


def list_keys(schema: list[Any]) -> dict[str, str]:
    return {key["AttributeName"]: key["KeyType"] for key in schema}


def test_a_stage_has_three_tables_and_a_bucket(
    server: AwsServer, dynamodb: "DynamoDBClient"
) -> None:
    assert create_resources(server.url, "qa") == Resources(
        findings_table="ec2-inspec-scan-qa-findings",
        nodes_table="ec2-inspec-scan-qa-nodes",
        ledger_table="ec2-inspec-scan-qa-ledger",
        reports_bucket="ec2-inspec-scan-qa-reports-123456789012-us-east-1",
    )
    assert set(dynamodb.list_tables()["TableNames"]) == {
        "ec2-inspec-scan-qa-findings",
        "ec2-inspec-scan-qa-ledger",
        "ec2-inspec-scan-qa-nodes",
    }

    with closing(make_session().client("s3", endpoint_url=server.url)) as s3:
        buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert buckets == ["ec2-inspec-scan-qa-reports-123456789012-us-east-1"]


def test_findings_have_an_index_by_instance_and_one_by_title(
    dynamodb: "DynamoDBClient",
) -> None:
    table = dynamodb.describe_table(TableName=create_tables(dynamodb).findings)["Table"]
    assert list_keys(table["KeySchema"]) == {"finding_id": "HASH"}

    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert {name: list_keys(index["KeySchema"]) for name, index in indexes.items()} == {
        "by_instance": {"instance_id": "HASH", "finding_id": "RANGE"},
        "by_title": {"title_id": "HASH", "finding_id": "RANGE"},
    }
    assert {index["Projection"]["ProjectionType"] for index in indexes.values()} == {"ALL"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_nodes_have_no_index(dynamodb: "DynamoDBClient") -> None:
    table = dynamodb.describe_table(TableName=create_tables(dynamodb).nodes)["Table"]

    assert list_keys(table["KeySchema"]) == {"instance_id": "HASH"}
    assert not table.get("GlobalSecondaryIndexes")


def test_only_rows_of_the_ledger_expire(dynamodb: "DynamoDBClient") -> None:
    tables = create_tables(dynamodb)
    schema = dynamodb.describe_table(TableName=tables.ledger)["Table"]["KeySchema"]
    assert list_keys(schema) == {"pk": "HASH", "sk": "RANGE"}

    expiry = {
        name: dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        for name in (tables.findings, tables.nodes, tables.ledger)
    }
    assert expiry[tables.ledger]["TimeToLiveStatus"] == "ENABLED"
    assert expiry[tables.ledger]["AttributeName"] == "expires_at"
    assert expiry[tables.findings]["TimeToLiveStatus"] == "DISABLED"
    assert expiry[tables.nodes]["TimeToLiveStatus"] == "DISABLED"


def test_tables_with_another_prefix_are_other_tables(dynamodb: "DynamoDBClient") -> None:
    first, second = create_tables(dynamodb, "a-"), create_tables(dynamodb, "b-")
    assert first == Tables(
        "a-ec2-inspec-scan-dev-findings",
        "a-ec2-inspec-scan-dev-nodes",
        "a-ec2-inspec-scan-dev-ledger",
    )

    dynamodb.put_item(TableName=first.nodes, Item={"instance_id": {"S": "i-0123456789abcdef0"}})
    assert dynamodb.scan(TableName=second.nodes)["Items"] == []
