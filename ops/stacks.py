"""Creates, updates and deletes CloudFormation stacks, and explains why that failed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError, WaiterError
from botocore.waiter import WaiterModel, create_waiter_with_client

from ops.console import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import WaiterConfigTypeDef

Report = Callable[[str], None]

# A poll every 2 seconds for 30 minutes: the indexes of a table take several minutes.
WAIT: "WaiterConfigTypeDef" = {"Delay": 2, "MaxAttempts": 900}
# boto3's own waiters for stacks never end on IMPORT_COMPLETE, and take the status before a deletion
# for its failure.
_STATUS = "Stacks[0].StackStatus"
_WAITERS = WaiterModel(
    {
        "version": 2,
        "waiters": {
            "StackReady": {
                "operation": "DescribeStacks",
                "delay": WAIT["Delay"],
                "maxAttempts": WAIT["MaxAttempts"],
                "acceptors": [
                    *(
                        {
                            "state": "success",
                            "matcher": "path",
                            "argument": _STATUS,
                            "expected": each,
                        }
                        for each in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
                    ),
                    {
                        "state": "failure",
                        "matcher": "path",
                        "argument": f"ends_with({_STATUS}, '_IN_PROGRESS')",
                        "expected": False,
                    },
                ],
            },
            "StackDeleted": {
                "operation": "DescribeStacks",
                "delay": WAIT["Delay"],
                "maxAttempts": WAIT["MaxAttempts"],
                "acceptors": [
                    {"state": "success", "matcher": "error", "expected": "ValidationError"},
                    *(
                        {"state": state, "matcher": "path", "argument": _STATUS, "expected": each}
                        for state, each in (
                            ("success", "DELETE_COMPLETE"),
                            ("failure", "DELETE_FAILED"),
                        )
                    ),
                ],
            },
        },
    }
)
# CloudFormation has no status of its own for a change set without changes, only these reasons.
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
# CloudFormation never updates a stack in these states. An earlier creation failed.
_NEVER_CREATED = {"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"}
_OPERATION_STARTS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}
_PLAIN_SUB = re.compile(r'!Sub "([^"$]*)"')


@dataclass(frozen=True, slots=True)
class StackSpec:
    """The stack to create or update. A parameter that is left out keeps its default."""

    name: str
    template: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def inline_values(template: str, values: Mapping[str, str]) -> str:
    """Replace `${Name}` by its value, and `!Sub` by plain text once nothing is left to replace.

    CloudFormation imports an existing resource only if the template holds its literal name.
    """
    for name, value in values.items():
        template = template.replace(f"${{{name}}}", value)
    return _PLAIN_SUB.sub(r'"\1"', template)


def apply_stack(
    client: "CloudFormationClient",
    spec: StackSpec,
    report: Report,
    wait: "WaiterConfigTypeDef" = WAIT,
) -> dict[str, str]:
    """Create or update the stack, and return its outputs.

    Imports existing resources that the template names and retains, so that an
    interrupted deployment can be repeated. A failure names the first resource
    that failed and the reason that AWS gives.
    """
    status = _read_status(client, spec.name)
    if status in _NEVER_CREATED:
        report(f"  {spec.name}: removing what a failed creation left behind")
        delete_stack(client, spec.name, report, wait)
        status = None
    change_set = f"deploy-{uuid4().hex}"
    client.create_change_set(
        StackName=spec.name,
        ChangeSetName=change_set,
        ChangeSetType="UPDATE" if status else "CREATE",
        TemplateBody=spec.template,
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in spec.parameters.items()
        ],
        Tags=[{"Key": key, "Value": value} for key, value in spec.tags.items()],
        ImportExistingResources=True,
    )
    if _wait_for_changes(client, spec.name, change_set, wait):
        report(f"  {spec.name}: {'updating' if status else 'creating'}")
        client.execute_change_set(StackName=spec.name, ChangeSetName=change_set)
        _wait_for_stack(client, "StackReady", spec.name, wait)
        report(f"  {spec.name}: done")
    else:
        client.delete_change_set(StackName=spec.name, ChangeSetName=change_set)
        report(f"  {spec.name}: no changes")
    return _read_outputs(client, spec.name)


def delete_stack(
    client: "CloudFormationClient",
    name: str,
    report: Report,
    wait: "WaiterConfigTypeDef" = WAIT,
) -> None:
    """Delete the stack and wait until it is gone. Does nothing if it does not exist."""
    if _read_status(client, name) is None:
        report(f"  {name}: does not exist")
        return
    client.delete_stack(StackName=name)
    _wait_for_stack(client, "StackDeleted", name, wait)
    report(f"  {name}: deleted")


def _read_status(client: "CloudFormationClient", name: str) -> str | None:
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no code of its own for a stack that does not exist
        if error.response["Error"].get("Code") == "ValidationError":
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack["StackStatus"]


def _read_outputs(client: "CloudFormationClient", name: str) -> dict[str, str]:
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def _wait_for_changes(
    client: "CloudFormationClient", name: str, change_set: str, wait: "WaiterConfigTypeDef"
) -> bool:
    """Wait until the change set is ready, and return whether it changes anything."""
    try:
        client.get_waiter("change_set_create_complete").wait(
            StackName=name, ChangeSetName=change_set, WaiterConfig=wait
        )
    except WaiterError as error:
        response = _read_last_response(error, "DescribeChangeSet")
        if response["Status"] != "FAILED":
            raise CommandError(
                f"{name}: CloudFormation did not prepare the changes in time; run this again"
            ) from error
        reason = " ".join(response.get("StatusReason", "no reason given").split())
        if any(words in reason for words in _NO_CHANGES):
            return False
        raise CommandError(f"{name} cannot be changed: {reason}") from error
    return True


def _wait_for_stack(
    client: "CloudFormationClient", waiter: str, name: str, wait: "WaiterConfigTypeDef"
) -> None:
    try:
        create_waiter_with_client(waiter, _WAITERS, client).wait(StackName=name, WaiterConfig=wait)
    except WaiterError as error:
        (stack,) = _read_last_response(error, "DescribeStacks")["Stacks"]
        status = stack["StackStatus"]
        if status.endswith("_IN_PROGRESS"):
            raise CommandError(
                f"{name} is still {status}; look at it in the CloudFormation console, then run "
                "this again"
            ) from error
        raise CommandError(f"{name} is {status}: {_find_first_failure(client, name)}") from error


def _read_last_response(error: WaiterError, operation: str) -> Any:
    """Return the response that ended a wait. Raises a refusal, such as expired credentials."""
    response: Any = error.last_response
    if "Error" in response:
        raise ClientError(response, operation) from error
    return response


def _find_first_failure(client: "CloudFormationClient", name: str) -> str:
    """Explain the last operation by its first failure: later ones are consequences."""
    events: list[Mapping[str, Any]] = []
    for page in client.get_paginator("describe_stack_events").paginate(StackName=name):
        for event in page["StackEvents"]:  # newest first
            events.append(event)
            if _starts_operation(event):
                return _explain_failure(events)
    return _explain_failure(events)


def _starts_operation(event: Mapping[str, Any]) -> bool:
    return (
        event["ResourceType"] == "AWS::CloudFormation::Stack"
        and event.get("ResourceStatus") in _OPERATION_STARTS
    )


def _explain_failure(events: list[Mapping[str, Any]]) -> str:
    for event in reversed(events):
        if str(event.get("ResourceStatus", "")).endswith("_FAILED"):
            reason = " ".join(str(event.get("ResourceStatusReason", "no reason given")).split())
            return f"{event['LogicalResourceId']}: {reason}"
    return "CloudFormation names no resource that failed"
