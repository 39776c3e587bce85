from dataclasses import replace
from typing import Any

import boto3
import pytest

from ops.aws import Account
from ops.plan import list_next_steps, plan_deployment, plan_destruction
from ops.stages import read_stage

ACCOUNT = Account(boto3.Session(region_name="eu-central-1"), "123456789012", "eu-central-1")
STAGE = replace(read_stage("dev"), env={**read_stage("dev").env, "SLACK_CHANNEL": "C0123456789"})


def plan(**data: str) -> str:
    return plan_deployment(STAGE, ACCOUNT, {"data": data, "operations": {}})


def test_the_plan_has_account_region_channel_and_costs() -> None:
    text = plan()

    for part in ("123456789012", "eu-central-1", "C0123456789", "ec2-inspec-scan-dev-data"):
        assert part in text
    assert "Costs about $" in text
    assert "CloudWatch metrics (16)" in text
    assert "CloudWatch alarms (15)" in text


def test_without_tokens_there_is_no_authorizer_and_no_alarm_on_it() -> None:
    signed = replace(STAGE, env={**STAGE.env, "API_AUTH": "iam"})

    text = plan_deployment(signed, ACCOUNT, {"data": {}, "operations": {}})

    assert "4 on arm64, API_AUTH=iam" in text
    assert "CloudWatch alarms (13)" in text


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, "no node is scanned"),
        ({"Association": "all"}, "every managed node"),
        (
            {"Association": "tag", "AssociationTagKey": "Scan", "AssociationTagValue": "yes"},
            "the tag Scan=yes",
        ),
    ],
)
def test_the_plan_names_the_nodes_that_are_scanned(data: dict[str, Any], expected: str) -> None:
    assert expected in plan(**data)


def test_a_token_is_a_next_step_only_if_there_is_none() -> None:
    without = list_next_steps(STAGE, ACCOUNT, "abc", has_api_tokens=False)
    with_tokens = list_next_steps(STAGE, ACCOUNT, "abc", has_api_tokens=True)

    assert "make token STAGE=dev" in without
    assert "make token" not in with_tokens
    assert "https://abc.execute-api.eu-central-1.amazonaws.com/api" in with_tokens


def test_the_plan_to_destroy_names_what_stays() -> None:
    text = plan_destruction(STAGE, ACCOUNT)

    (stays,) = (line for line in text.splitlines() if "tables, bucket" in line)
    assert stays.split()[0] == "stays"
    assert "ec2-inspec-scan-dev-data" in stays
