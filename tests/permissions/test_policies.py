"""Every policy allows what its function does, and nothing else."""

import json
import re
from pathlib import Path

import pytest
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from devstack.environment import ACCOUNT, API_TOKENS_PARAMETER, REGION, TOKEN_PARAMETER
from tests.functional.conftest import running_service
from tests.permissions.drive import drive
from tests.permissions.operations import named_in_code
from tests.permissions.policies import CHALICE, FUNCTIONS, Grant, config, grants, policy
from tests.permissions.recorder import Need, Recorder

pytestmark = pytest.mark.enable_socket

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"
STAGES = sorted(config()["stages"])
# AWS offers no resource for these (service authorization reference of Systems Manager).
WITHOUT_RESOURCE = {"ssm:ListComplianceItems", "ssm:ListResourceComplianceSummaries"}
# A role's inline policies may have so many characters, blanks not counted (IAM quotas).
LARGEST_POLICY = 10_240
# `make token` writes the API's tokens, with the rights of whoever runs it.
OF_PEOPLE = {"ssm.PutParameter"}
# What no code calls and the platform does in a function's name: Lambda writes its log, and
# sends to the queue what failed for good.
PLATFORM = {
    "Logs": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "Failures": {"sqs:SendMessage"},
}


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    recorder = Recorder()
    with running_service() as service:
        drive(service, recorder)
    return recorder


def as_of(stage: str, need: Need) -> Need:
    """The need of the driven stack, as it is in a deployed stage."""
    resource = need.resource
    for here, there in (
        (TOKEN_PARAMETER, f"/ec2-inspec-scan/{stage}/slack-token"),
        (API_TOKENS_PARAMETER, f"/ec2-inspec-scan/{stage}/api-tokens"),
    ):
        resource = resource.replace(here, there)
    return Need(
        need.action, resource.replace("ec2-inspec-scan-devstack-", f"ec2-inspec-scan-{stage}-")
    )


def needed(recorder: Recorder, stage: str, function: str) -> set[Need]:
    return {as_of(stage, need) for need in recorder.needs[function]}


def granted(stage: str, function: str) -> list[Grant]:
    """What a policy allows beyond the platform's needs."""
    return [each for each in grants(policy(stage, function)) if each.sid not in PLATFORM]


def test_the_drive_reaches_every_operation_that_the_code_names(recorder: Recorder) -> None:
    assert {"dynamodb.Query", "s3.PutObject", "ssm.GetParameter"} <= named_in_code()
    assert named_in_code() - OF_PEOPLE == recorder.operations


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_all_that_it_does(recorder: Recorder, stage: str, function: str) -> None:
    allowed = granted(stage, function)
    refused = {
        need
        for need in needed(recorder, stage, function)
        if not any(grant.allows(need.action, need.resource) for grant in allowed)
    }
    assert refused == set()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_nothing_that_it_never_does(
    recorder: Recorder, stage: str, function: str
) -> None:
    does = needed(recorder, stage, function)
    unused = {
        grant
        for grant in granted(stage, function)
        if not any(grant.allows(need.action, need.resource) for need in does)
    }
    assert unused == set()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_action_has_a_wildcard_and_no_resource_is_everything(stage: str, function: str) -> None:
    for grant in grants(policy(stage, function)):
        assert "*" not in grant.action
        assert grant.resource != "*" or grant.action in WITHOUT_RESOURCE


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_of_the_platform_a_function_gets_its_own_log_and_the_queue_of_failures(
    stage: str, function: str
) -> None:
    name = f"ec2-inspec-scan-{stage}" + ("" if function == "api_handler" else f"-{function}")
    got = {grant for grant in grants(policy(stage, function)) if grant.sid in PLATFORM}
    log = f"arn:aws:logs:*:*:log-group:/aws/lambda/{name}:*"
    wanted = {Grant("Logs", action, log) for action in PLATFORM["Logs"]}
    if function in {"ec2-inspec-scan", "monthly-alert", "reconcile"}:
        queue = f"arn:aws:sqs:*:*:ec2-inspec-scan-{stage}-failures"
        wanted.add(Grant("Failures", "sqs:SendMessage", queue))
    assert got == wanted


@pytest.mark.parametrize("stage", STAGES)
def test_every_function_has_a_policy_of_its_own_and_chalice_adds_nothing(stage: str) -> None:
    functions = config()["stages"][stage]["lambda_functions"]
    assert set(functions) == set(FUNCTIONS)
    files = [each["iam_policy_file"] for each in functions.values()]
    assert files == [f"policy-{stage}-{name}.json" for name in functions]
    assert not any(each.get("autogen_policy", True) for each in functions.values())
    assert not any("reserved_concurrency" in each for each in functions.values())


def test_the_stages_differ_in_their_name_only() -> None:
    first, *others = STAGES
    for function in FUNCTIONS:
        model = (CHALICE / f"policy-{first}-{function}.json").read_text()
        for stage in others:
            text = (CHALICE / f"policy-{stage}-{function}.json").read_text()
            assert text == re.sub(rf"\b{first}\b", stage, model)


@pytest.mark.parametrize("file", sorted(CHALICE.glob("policy-*.json")), ids=lambda file: file.stem)
def test_iam_takes_the_policy_and_it_belongs_to_a_function(file: Path) -> None:
    IAMPolicyDocumentValidator(file.read_text()).validate()
    assert len(re.sub(r"\s", "", file.read_text())) <= LARGEST_POLICY
    assert file.name in json.dumps(config())


def test_every_statement_is_explained_with_the_adapter_that_needs_it() -> None:
    text = DOCUMENT.read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| .* \| (.+) \|$", text, re.MULTILINE))
    sids = {grant.sid for name in FUNCTIONS for grant in grants(policy(STAGES[0], name))}
    assert sids == set(rows)
    for sid in sids - PLATFORM.keys():
        named = re.findall(r"`(chalicelib/[\w/.]+)`", rows[sid])
        assert named, sid


def test_the_account_and_region_of_the_drive_are_those_of_its_resources(recorder: Recorder) -> None:
    arns = {need.resource for needs in recorder.needs.values() for need in needs} - {"*"}
    assert all(f":{REGION}:{ACCOUNT}:" in arn or arn.startswith("arn:aws:s3:::") for arn in arns)
