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


def keys_of(schema: list[Any]) -> dict[str, str]:
    return {key["AttributeName"]: key["KeyType"] for key in schema}


def test_a_stage_has_three_tables_and_a_bucket_under_its_names(
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


def test_findings_are_keyed_by_id_and_found_by_instance_and_by_title(
    dynamodb: "DynamoDBClient",
) -> None:
    table = dynamodb.describe_table(TableName=create_tables(dynamodb).findings)["Table"]
    assert keys_of(table["KeySchema"]) == {"finding_id": "HASH"}
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    assert {name: keys_of(index["KeySchema"]) for name, index in indexes.items()} == {
        "by_instance": {"instance_id": "HASH", "finding_id": "RANGE"},
        "by_title": {"title_id": "HASH", "finding_id": "RANGE"},
    }
    assert {index["Projection"]["ProjectionType"] for index in indexes.values()} == {"ALL"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_nodes_are_keyed_by_instance_without_an_index(dynamodb: "DynamoDBClient") -> None:
    table = dynamodb.describe_table(TableName=create_tables(dynamodb).nodes)["Table"]
    assert keys_of(table["KeySchema"]) == {"instance_id": "HASH"}
    assert not table.get("GlobalSecondaryIndexes")


def test_only_the_ledger_forgets_by_itself(dynamodb: "DynamoDBClient") -> None:
    tables = create_tables(dynamodb)
    schema = dynamodb.describe_table(TableName=tables.ledger)["Table"]["KeySchema"]
    assert keys_of(schema) == {"pk": "HASH", "sk": "RANGE"}
    expiry = {
        name: dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        for name in (tables.findings, tables.nodes, tables.ledger)
    }
    assert expiry[tables.ledger]["TimeToLiveStatus"] == "ENABLED"
    assert expiry[tables.ledger]["AttributeName"] == "expires_at"
    assert expiry[tables.findings]["TimeToLiveStatus"] == "DISABLED"
    assert expiry[tables.nodes]["TimeToLiveStatus"] == "DISABLED"


def test_a_prefix_keeps_two_sets_of_tables_apart(dynamodb: "DynamoDBClient") -> None:
    first, second = create_tables(dynamodb, "a-"), create_tables(dynamodb, "b-")
    assert first == Tables(
        "a-ec2-inspec-scan-dev-findings",
        "a-ec2-inspec-scan-dev-nodes",
        "a-ec2-inspec-scan-dev-ledger",
    )
    dynamodb.put_item(TableName=first.nodes, Item={"instance_id": {"S": "i-0123456789abcdef0"}})
    assert dynamodb.scan(TableName=second.nodes)["Items"] == []
