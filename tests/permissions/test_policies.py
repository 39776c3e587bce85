"""Every policy allows what its function does, and nothing else."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from devstack.environment import ACCOUNT, API_TOKENS_PARAMETER, REGION, TOKEN_PARAMETER
from tests.functional.service import run_service
from tests.permissions.drive import drive
from tests.permissions.operations import find_operations_in_code
from tests.permissions.policies import (
    CHALICE,
    FUNCTIONS,
    Grant,
    list_grants,
    read_config,
    read_policy,
)
from tests.permissions.recorder import Need, Recorder

pytestmark = pytest.mark.enable_socket

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"
STAGES = sorted(read_config()["stages"])
# AWS offers no resource for these (service authorization reference of Systems Manager).
WITHOUT_RESOURCE = {
    "ssm:DescribeAssociationExecutionTargets",
    "ssm:DescribeAssociationExecutions",
    "ssm:ListComplianceItems",
    "ssm:ListResourceComplianceSummaries",
}
# Most characters of a role's inline policies without white space (IAM quotas).
LARGEST_POLICY = 10_240
# `make token` writes the API's tokens, with the permissions of the person who runs it.
OF_PEOPLE = {"ssm.PutParameter"}
# What the platform does for a function: Lambda writes its log, and sends events that failed for
# good to the queue.
PLATFORM = {
    "Logs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "Failures": {"sqs:SendMessage"},
}


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    recorder = Recorder()
    with run_service() as service:
        drive(service, recorder)
    return recorder


def translate_to_stage(stage: str, need: Need) -> Need:
    """Translates a need of the stack on this machine to one of a deployed stage."""
    resource = need.resource
    for here, there in (
        (TOKEN_PARAMETER, f"/ec2-inspec-scan/{stage}/slack-token"),
        (API_TOKENS_PARAMETER, f"/ec2-inspec-scan/{stage}/api-tokens"),
    ):
        resource = resource.replace(here, there)
    resource = resource.replace("ec2-inspec-scan-devstack-", f"ec2-inspec-scan-{stage}-")
    return replace(need, resource=resource)


def list_needed(recorder: Recorder, stage: str, function: str) -> set[Need]:
    return {translate_to_stage(stage, need) for need in recorder.needs[function]}


def list_granted(stage: str, function: str) -> list[Grant]:
    """Lists what a policy allows beyond the needs of the platform."""
    return [each for each in list_grants(read_policy(stage, function)) if each.sid not in PLATFORM]


def test_the_recorded_calls_cover_every_operation_of_the_code(recorder: Recorder) -> None:
    assert {"dynamodb.Query", "s3.PutObject", "ssm.GetParameter"} <= find_operations_in_code()
    assert find_operations_in_code() - OF_PEOPLE == recorder.operations


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_policy_allows_everything_that_its_function_does(
    recorder: Recorder, stage: str, function: str
) -> None:
    allowed = list_granted(stage, function)
    refused = {
        need
        for need in list_needed(recorder, stage, function)
        if not any(grant.allows(need) for grant in allowed)
    }

    assert refused == set()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_policy_allows_nothing_that_its_function_never_does(
    recorder: Recorder, stage: str, function: str
) -> None:
    does = list_needed(recorder, stage, function)
    unused = {
        part
        for grant in list_granted(stage, function)
        for part in grant.split_by_partition()
        if not any(part.allows(need) for need in does)
    }

    assert unused == set()


@pytest.mark.parametrize("stage", STAGES)
def test_the_api_may_write_only_snoozes_and_their_history(stage: str) -> None:
    ledger = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/ec2-inspec-scan-{stage}-ledger"
    granted = list_granted(stage, "api_handler")

    def may_put(*partitions: str) -> bool:
        need = Need("dynamodb:PutItem", ledger, partitions)
        return any(grant.allows(need) for grant in granted)

    assert may_put("SNOOZE")
    assert may_put("SNOOZE#s-1")
    assert not any(map(may_put, ("OPEN", "MESSAGE", "FINDING#1", "SCAN", "SNOOZES", "snooze", "")))
    assert not may_put("SNOOZE", "OPEN")
    assert not may_put()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_action_has_a_wildcard_and_no_grant_is_for_every_resource(
    stage: str, function: str
) -> None:
    for grant in list_grants(read_policy(stage, function)):
        assert "*" not in grant.action
        assert grant.resource != "*" or grant.action in WITHOUT_RESOURCE


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_write_its_own_log_and_the_queue_of_failures(
    stage: str, function: str
) -> None:
    name = f"ec2-inspec-scan-{stage}" + ("" if function == "api_handler" else f"-{function}")
    actual = {grant for grant in list_grants(read_policy(stage, function)) if grant.sid in PLATFORM}
    log = f"arn:aws:logs:*:*:log-group:/aws/lambda/{name}:*"
    expected = {Grant("Logs", action, log) for action in PLATFORM["Logs"]}

    if function in {"ec2-inspec-scan", "monthly-alert", "reconcile"}:
        queue = f"arn:aws:sqs:*:*:ec2-inspec-scan-{stage}-failures"
        expected.add(Grant("Failures", "sqs:SendMessage", queue))

    assert actual == expected


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_has_its_own_policy_and_chalice_adds_nothing(stage: str) -> None:
    functions = read_config()["stages"][stage]["lambda_functions"]
    assert set(functions) == set(FUNCTIONS)

    files = [each["iam_policy_file"] for each in functions.values()]
    assert files == [f"policy-{stage}-{name}.json" for name in functions]
    assert not any(each.get("autogen_policy", True) for each in functions.values())
    assert not any("reserved_concurrency" in each for each in functions.values())


def test_the_policies_of_stages_differ_only_in_the_stage_name() -> None:
    first, *others = STAGES
    for function in FUNCTIONS:
        model = (CHALICE / f"policy-{first}-{function}.json").read_text()
        for stage in others:
            text = (CHALICE / f"policy-{stage}-{function}.json").read_text()
            assert text == re.sub(rf"\b{first}\b", stage, model)


@pytest.mark.parametrize("file", sorted(CHALICE.glob("policy-*.json")), ids=lambda file: file.stem)
def test_a_policy_is_valid_and_belongs_to_a_function(file: Path) -> None:
    IAMPolicyDocumentValidator(file.read_text()).validate()

    assert len(re.sub(r"\s", "", file.read_text())) <= LARGEST_POLICY
    assert file.name in json.dumps(read_config())


def test_every_statement_is_documented_with_the_adapter_that_needs_it() -> None:
    text = DOCUMENT.read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.+) \|$", text, re.MULTILINE))
    sids = {grant.sid for name in FUNCTIONS for grant in list_grants(read_policy(STAGES[0], name))}
    assert sids == set(rows)

    for sid in sids - PLATFORM.keys():
        named = re.findall(r"`(chalicelib/[\w/.]+)`", rows[sid])
        assert named, sid


def test_the_recorded_resources_are_of_this_account_and_region(recorder: Recorder) -> None:
    arns = {need.resource for needs in recorder.needs.values() for need in needs} - {"*"}
    assert all(f":{REGION}:{ACCOUNT}:" in arn or arn.startswith("arn:aws:s3:::") for arn in arns)
