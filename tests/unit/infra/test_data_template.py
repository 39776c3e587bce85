"""The data stack: infra/data.yaml as CloudFormation reads it."""

import json
from typing import Any

import pytest

from devstack.aws.resources import Resources
from tests.unit.infra.cloudformation import PSEUDO, Template
from tests.unit.infra.functions import functions

GITHUB = {"GitHubOwner": "first", "GitHubRepository": "second"}
S3 = {"ProfileSource": "S3", "S3Url": "https://s3.eu-central-1.amazonaws.com/profiles/inspec"}
TAG = {"AssociationTagKey": "Scan", "AssociationTagValue": "yes"}
KEPT = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::Logs::LogGroup")


def keys(index: dict[str, Any]) -> list[str]:
    """Return the hash key, then the sort key if there is one."""
    ordered = sorted(index["KeySchema"], key=lambda key: str(key["KeyType"]))
    return [key["AttributeName"] for key in ordered]


def association(**parameters: str) -> dict[str, Any]:
    template = Template("data", **parameters)
    assert template.refused() == []
    (made,) = template.properties("AWS::SSM::Association")
    return dict(made)


def source(**parameters: str) -> dict[str, str]:
    """The source of the profile as the SSM agent on a node reads it."""
    (text,) = association(Association="all", **parameters)["Parameters"]["sourceInfo"]
    found: dict[str, str] = json.loads(text)
    return found


def test_everything_but_the_association_outlives_the_stack() -> None:
    made = Template("data", Association="all", **GITHUB).resources()
    kept = {
        name
        for name, resource in made.items()
        if resource.get("DeletionPolicy") == resource.get("UpdateReplacePolicy") == "Retain"
    }
    assert made.keys() - kept == {"InspecAssociation"}
    assert {made[name]["Type"] for name in kept} == set(KEPT)


def test_every_table_can_be_restored_and_is_protected() -> None:
    tables = Template("data").properties("AWS::DynamoDB::Table")
    assert len(tables) == 3
    for table in tables:
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"] == {"SSEEnabled": True}
        assert table["DeletionProtectionEnabled"] is True
        assert table["BillingMode"] == "PAY_PER_REQUEST"


def test_tables_have_the_keys_that_the_adapters_use() -> None:
    tables = Template("data").properties("AWS::DynamoDB::Table")
    assert {table["TableName"]: keys(table) for table in tables} == {
        "ec2-inspec-scan-dev-findings": ["finding_id"],
        "ec2-inspec-scan-dev-nodes": ["instance_id"],
        "ec2-inspec-scan-dev-ledger": ["pk", "sk"],
    }
    indexes = [index for table in tables for index in table.get("GlobalSecondaryIndexes", [])]
    assert {index["IndexName"]: keys(index) for index in indexes} == {
        "by_instance": ["instance_id", "finding_id"],
        "by_title": ["title_id", "finding_id"],
    }
    assert all(index["Projection"] == {"ProjectionType": "ALL"} for index in indexes)


def test_only_ledger_rows_expire() -> None:
    tables = Template("data").properties("AWS::DynamoDB::Table")
    expiring = {
        table["TableName"]: table["TimeToLiveSpecification"]
        for table in tables
        if "TimeToLiveSpecification" in table
    }
    assert expiring == {
        "ec2-inspec-scan-dev-ledger": {"AttributeName": "expires_at", "Enabled": True}
    }


def test_the_bucket_is_private_encrypted_and_versioned() -> None:
    (bucket,) = Template("data").properties("AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}


def test_alert_files_and_old_versions_expire_and_monthly_files_stay() -> None:
    (bucket,) = Template("data").properties("AWS::S3::Bucket")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert all(rule["Status"] == "Enabled" for rule in rules)
    expiring = [(rule.get("Prefix"), rule["ExpirationInDays"]) for rule in rules if days(rule)]
    assert expiring == [("alerts/", 90)]
    (everything,) = (rule for rule in rules if "Prefix" not in rule)
    assert everything["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert everything["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


def days(rule: dict[str, Any]) -> bool:
    return "ExpirationInDays" in rule


def test_the_bucket_refuses_plain_http() -> None:
    (policy,) = Template("data").properties("AWS::S3::BucketPolicy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == (
        "Deny",
        "*",
        "s3:*",
    )
    assert statement["Resource"] == ["ReportsBucket.Arn", "ReportsBucket.Arn/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_function_has_a_log_group_and_every_group_a_function(stage: str) -> None:
    groups = Template("data", Stage=stage).properties("AWS::Logs::LogGroup")
    assert sorted(group["LogGroupName"] for group in groups) == sorted(
        f"/aws/lambda/{name}" for name in functions(stage).values()
    )


def test_the_operator_sets_how_long_logs_are_kept() -> None:
    for parameters, kept in (({}, "90"), ({"LogRetentionDays": "365"}, "365")):
        groups = Template("data", **parameters).properties("AWS::Logs::LogGroup")
        assert {group["RetentionInDays"] for group in groups} == {kept}


def test_the_outputs_are_the_settings_of_a_stage() -> None:
    template = Template("data", Stage="prod")
    made = template.resources()
    names = {
        output: made[template.resolve(value["Value"])]["Properties"]
        for output, value in template.template["Outputs"].items()
    }
    assert Resources(
        names["FindingsTable"]["TableName"],
        names["NodesTable"]["TableName"],
        names["LedgerTable"]["TableName"],
        names["ReportsBucket"]["BucketName"],
    ) == Resources(
        "ec2-inspec-scan-prod-findings",
        "ec2-inspec-scan-prod-nodes",
        "ec2-inspec-scan-prod-ledger",
        f"ec2-inspec-scan-prod-reports-{PSEUDO['AWS::AccountId']}-{PSEUDO['AWS::Region']}",
    )


def test_there_is_no_association_by_default() -> None:
    assert Template("data").properties("AWS::SSM::Association") == []
    unused = Template("data", **GITHUB, **TAG)
    assert unused.refused() == []
    assert unused.properties("AWS::SSM::Association") == []


def test_the_association_runs_inspec_on_all_nodes_or_those_with_a_tag() -> None:
    every = association(Association="all", Stage="prod", **GITHUB)
    assert (every["Name"], every["AssociationName"]) == (
        "AWS-RunInspecChecks",
        "ec2-inspec-scan-prod",
    )
    assert every["Targets"] == [{"Key": "InstanceIds", "Values": ["*"]}]
    tagged = association(Association="tag", **GITHUB, **TAG)
    assert tagged["Targets"] == [{"Key": "tag:Scan", "Values": ["yes"]}]


def test_a_failing_node_stops_no_other_and_nodes_take_turns() -> None:
    made = association(Association="all", **GITHUB)
    assert (made["MaxErrors"], made["MaxConcurrency"]) == ("100%", "20%")


def test_the_profile_of_a_public_repository_needs_no_token() -> None:
    assert source(**GITHUB) == {
        "owner": "first",
        "repository": "second",
        "path": "inspec",
        "getOptions": "branch:main",
    }


def test_the_association_names_the_parameter_of_a_github_token() -> None:
    assert source(
        **GITHUB,
        GitHubPath="security/inspec",
        GitHubBranch="release/1.x",
        GitHubTokenParameter="/ec2-inspec-scan/dev/github-token",
    ) == {
        "owner": "first",
        "repository": "second",
        "path": "security/inspec",
        "getOptions": "branch:release/1.x",
        "tokenInfo": "{{ssm-secure:/ec2-inspec-scan/dev/github-token}}",
    }


@pytest.mark.parametrize("more", [{}, GITHUB, {"GitHubTokenParameter": "token"}])
def test_a_profile_in_s3_has_only_a_path(more: dict[str, str]) -> None:
    assert source(**S3, **more) == {"path": S3["S3Url"]}
    made = association(Association="all", **S3, **more)
    assert made["Parameters"]["sourceType"] == ["S3"]


def test_the_source_type_has_the_spelling_of_the_document() -> None:
    assert association(Association="all", **GITHUB)["Parameters"]["sourceType"] == ["GitHub"]


@pytest.mark.parametrize("schedule", ["rate(30 minutes)", "rate(7 days)", "cron(0 2 ? * SUN#1 *)"])
def test_a_repeating_schedule_is_accepted(schedule: str) -> None:
    made = association(Association="all", AssociationSchedule=schedule, **GITHUB)
    assert made["ScheduleExpression"] == schedule


@pytest.mark.parametrize(
    ("parameters", "reasons"),
    [
        ({"Association": "tag", **GITHUB}, ["AssociationTagKey", "AssociationTagValue"]),
        ({"Association": "tag", "AssociationTagKey": "Scan", **GITHUB}, ["AssociationTagValue"]),
        ({"Association": "tag", "AssociationTagValue": "yes", **GITHUB}, ["AssociationTagKey"]),
        (
            {"Association": "all", "AssociationTagKey": "Scan", **GITHUB},
            ["Leave AssociationTagKey"],
        ),
        ({"Association": "all", "AssociationTagValue": "yes", **S3}, ["Leave AssociationTagKey"]),
        ({"Association": "all"}, ["GitHubOwner", "GitHubRepository"]),
        ({"Association": "all", "GitHubOwner": "first"}, ["GitHubRepository"]),
        ({"Association": "all", "GitHubRepository": "second"}, ["GitHubOwner"]),
        ({"Association": "all", "ProfileSource": "S3"}, ["S3Url"]),
        ({"Association": "all", "ProfileSource": "S3", **GITHUB}, ["S3Url"]),
        ({"Association": "tag", "S3Url": S3["S3Url"], **TAG}, ["GitHubOwner", "GitHubRepository"]),
    ],
)
def test_incomplete_parameters_are_refused_by_name(
    parameters: dict[str, str], reasons: list[str]
) -> None:
    refused = Template("data", **parameters).refused()
    assert len(refused) == len(reasons)
    for sentence, reason in zip(refused, reasons, strict=True):
        assert reason in sentence
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    "name",
    [
        "AssociationTagKey",
        "AssociationTagValue",
        "AssociationSchedule",
        "GitHubOwner",
        "GitHubRepository",
        "GitHubPath",
        "GitHubBranch",
        "GitHubTokenParameter",
        "S3Url",
    ],
)
@pytest.mark.parametrize("sign", ['"', "\\", "\n", "{{", "}}", "$"])
def test_no_value_can_escape_from_the_json(name: str, sign: str) -> None:
    good = {"AssociationSchedule": "rate(1 day)", "S3Url": S3["S3Url"]}.get(name, "value")
    assert Template("data", **{name: good}).refused() == []
    assert len(Template("data", **{name: f"{good}{sign}"}).refused()) == 1
    assert len(Template("data", **{name: f"{good[:5]}{sign}{good[5:]}"}).refused()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AssociationTagKey", "a;b"),
        ("AssociationSchedule", "daily"),
        ("AssociationSchedule", "at(2026-01-31T08:15:30)"),
        ("AssociationSchedule", "at(2026-01-31)"),
        ("ProfileSource", "Git"),
        ("GitHubOwner", "first/second"),
        ("GitHubPath", "/inspec"),
        ("GitHubPath", "inspec/"),
        ("GitHubPath", ""),
        ("GitHubBranch", ""),
        ("S3Url", "s3://profiles/inspec"),
        ("S3Url", "http://s3.amazonaws.com/profiles/inspec"),
        ("S3Url", "https://example.com/inspec"),
        ("LogRetentionDays", "91"),
    ],
)
def test_an_invalid_value_is_refused(name: str, value: str) -> None:
    assert len(Template("data", **{name: value}).refused()) == 1


@pytest.mark.parametrize(
    "address",
    [
        "https://s3.amazonaws.com/profiles/inspec",
        "https://profiles.s3.eu-central-1.amazonaws.com/inspec/main",
        "https://profiles.s3.cn-north-1.amazonaws.com.cn/inspec",
    ],
)
def test_every_form_of_an_s3_address_is_accepted(address: str) -> None:
    assert source(ProfileSource="S3", S3Url=address) == {"path": address}
