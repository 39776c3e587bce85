from dataclasses import replace
from typing import Any

import boto3
import pytest

from ops.checks import Place
from ops.stages import read_stage
from ops.telling import next_steps, plan

PLACE = Place(boto3.Session(region_name="eu-central-1"), "123456789012", "eu-central-1")
STAGE = replace(read_stage("dev"), env={**read_stage("dev").env, "SLACK_CHANNEL": "C0123456789"})
NOTHING: dict[str, dict[str, str]] = {"data": {}, "operations": {}}


def told(**data: str) -> str:
    return plan(STAGE, PLACE, {**NOTHING, "data": data})


def test_the_plan_says_where_for_whom_and_what_it_costs() -> None:
    text = told()
    for part in ("123456789012", "eu-central-1", "C0123456789", "ec2-inspec-scan-dev-data"):
        assert part in text
    assert "Roughly $" in text
    assert "CloudWatch metrics (15)" in text
    assert "CloudWatch alarms (15)" in text


def test_without_tokens_there_is_no_authorizer_and_nothing_watches_it() -> None:
    signed = replace(STAGE, env={**STAGE.env, "API_AUTH": "iam"})
    text = plan(signed, PLACE, NOTHING)
    assert "4 on arm64, API_AUTH=iam" in text
    assert "CloudWatch alarms (13)" in text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({}, "nothing scans the nodes"),
        ({"Association": "all"}, "every managed node"),
        (
            {"Association": "tag", "AssociationTagKey": "Scan", "AssociationTagValue": "yes"},
            "the tag Scan=yes",
        ),
    ],
)
def test_the_plan_says_which_nodes_are_scanned(data: dict[str, Any], said: str) -> None:
    assert said in told(**data)


def test_the_next_step_is_a_token_where_nobody_has_one() -> None:
    assert "make token STAGE=dev" in next_steps(STAGE, PLACE, "abc", tokens=False)
    assert "make token" not in next_steps(STAGE, PLACE, "abc", tokens=True)
    assert "https://abc.execute-api.eu-central-1.amazonaws.com/api" in next_steps(
        STAGE, PLACE, "abc", tokens=True
    )
