"""Both stacks, created by moto as far as it supports their resource types."""

import json
import warnings
from collections.abc import Iterator

import pytest
from moto import mock_aws

from devstack.aws.session import make_session
from devstack.environment import ACCOUNT, REGION
from tests.unit.infra.cloudformation import TEMPLATES
from tests.unit.infra.functions import functions

TABLES = [f"ec2-inspec-scan-dev-{name}" for name in ("findings", "ledger", "nodes")]
BUCKET = f"ec2-inspec-scan-dev-reports-{ACCOUNT}-{REGION}"


@pytest.fixture(scope="module", autouse=True)
def stacks() -> Iterator[dict[str, dict[str, str]]]:
    """Create both stacks with default parameters, and return their outputs."""
    with mock_aws():
        cloudformation = make_session().client("cloudformation")
        outputs = {}
        for path in TEMPLATES:
            with warnings.catch_warnings():
                # moto supports neither alarms nor policies of buckets, queues and topics.
                warnings.filterwarnings("ignore", message="Tried to parse AWS::")
                cloudformation.create_stack(StackName=path.stem, TemplateBody=path.read_text())
            (stack,) = cloudformation.describe_stacks(StackName=path.stem)["Stacks"]
            assert stack["StackStatus"] == "CREATE_COMPLETE"
            outputs[path.stem] = {
                each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])
            }
        yield outputs


def test_tables_exist_and_are_protected() -> None:
    dynamodb = make_session().client("dynamodb")
    assert sorted(dynamodb.list_tables()["TableNames"]) == TABLES
    for name in TABLES:
        assert dynamodb.describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"]


def test_the_bucket_exists_and_is_encrypted() -> None:
    s3 = make_session().client("s3")
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_log_groups_exist_with_their_retention() -> None:
    groups = make_session().client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"]: group["retentionInDays"] for group in groups} == {
        f"/aws/lambda/{name}": 90 for name in functions("dev").values()
    }


def test_the_outputs_are_the_settings_of_the_stage(
    stacks: dict[str, dict[str, str]],
) -> None:
    findings, ledger, nodes = TABLES
    assert stacks["data"] == {
        "FindingsTable": findings,
        "NodesTable": nodes,
        "LedgerTable": ledger,
        "ReportsBucket": BUCKET,
    }


def test_the_queue_and_the_topic_have_their_names(
    stacks: dict[str, dict[str, str]],
) -> None:
    made = stacks["operations"]
    assert made["AlarmTopic"] == f"arn:aws:sns:{REGION}:{ACCOUNT}:ec2-inspec-scan-dev-alarms"
    assert made["FailureQueue"].endswith(f"/{ACCOUNT}/ec2-inspec-scan-dev-failures")


def test_the_dashboard_has_the_name_of_the_stage_and_is_json() -> None:
    cloudwatch = make_session().client("cloudwatch")
    body = cloudwatch.get_dashboard(DashboardName="ec2-inspec-scan-dev")["DashboardBody"]
    first = json.loads(body)["widgets"][0]["properties"]["alarms"][0]
    assert first == (
        f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:ec2-inspec-scan-dev-no-successful-scan"
    )
