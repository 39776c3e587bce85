"""Brings a CloudFormation stack to what its template says, and says why where that fails."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.exceptions import ClientError

from ops.console import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

Say = Callable[[str], None]

# Seconds between two looks, and until a stack must be done: indexes of a table take minutes.
LOOK = 2.0
LONGEST = 1_800.0
# CloudFormation's own words for a change set that changes nothing.
_NOTHING = ("didn't contain changes", "No updates are to be performed")
_SUBSTITUTED = re.compile(r'!Sub "([^"$]*)"')
_GOOD = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"}


@dataclass(frozen=True, slots=True)
class StackSpec:
    """A stack as it shall be; parameters that are not given keep the template's default."""

    name: str
    template: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def inline_values(template: str, values: Mapping[str, str]) -> str:
    """The template with these values put in; texts that need no others are plain then.

    CloudFormation takes existing resources into a stack only where their
    names are written out in the template that is sent.
    """
    for name, value in values.items():
        template = template.replace(f"${{{name}}}", value)
    return _SUBSTITUTED.sub(r'"\1"', template)


def apply_stack(
    client: "CloudFormationClient", spec: StackSpec, say: Say, look: float = LOOK
) -> dict[str, str]:
    """Create or update the stack; returns its outputs.

    What exists already under a name of the template and is to be retained is
    taken into the stack, so that a half-finished deployment can be repeated.
    `CommandError` carries the first resource that failed and AWS's reason.
    """
    status = _status(client, spec.name)
    if status in {"ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"}:
        say(f"  {spec.name}: an earlier creation failed; taking what is left of it away")
        delete_stack(client, spec.name, say, look)
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
    if _changes(client, spec.name, change_set, look):
        say(f"  {spec.name}: {'updating' if status else 'creating'}")
        client.execute_change_set(StackName=spec.name, ChangeSetName=change_set)
        _wait(client, spec.name, say, look)
    else:
        client.delete_change_set(StackName=spec.name, ChangeSetName=change_set)
        say(f"  {spec.name}: nothing to change")
    return outputs(client, spec.name)


def outputs(client: "CloudFormationClient", name: str) -> dict[str, str]:
    """What the stack gives away, by the names of its outputs."""
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}


def delete_stack(client: "CloudFormationClient", name: str, say: Say, look: float = LOOK) -> None:
    """Delete the stack and wait until it is gone; nothing happens where there is none."""
    status = _status(client, name)
    if status is None:
        say(f"  {name}: there is none")
        return
    client.delete_stack(StackName=name)
    deadline = time.monotonic() + LONGEST
    while (status := _status(client, name)) is not None:
        if status == "DELETE_FAILED" or time.monotonic() > deadline:
            raise CommandError(f"{name} was not deleted: {_why(client, name) or status}")
        time.sleep(look)
    say(f"  {name}: deleted")


def _status(client: "CloudFormationClient", name: str) -> str | None:
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no code of its own for a stack that is not there
        if error.response["Error"].get("Code") == "ValidationError":
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack["StackStatus"]


def _changes(client: "CloudFormationClient", name: str, change_set: str, look: float) -> bool:
    """Wait until CloudFormation knows what to change; whether that is anything."""
    deadline = time.monotonic() + LONGEST
    while True:
        made = client.describe_change_set(StackName=name, ChangeSetName=change_set)
        if made["Status"] == "CREATE_COMPLETE":
            return True
        reason = made.get("StatusReason", "")
        if made["Status"] == "FAILED":
            if any(words in reason for words in _NOTHING):
                return False
            raise CommandError(f"{name} cannot be changed: {' '.join(reason.split())}")
        if time.monotonic() > deadline:
            raise CommandError(
                f"{name}: CloudFormation did not say what would change; run it again"
            )
        time.sleep(look)


def _wait(client: "CloudFormationClient", name: str, say: Say, look: float) -> None:
    deadline = time.monotonic() + LONGEST
    while True:
        status = _status(client, name) or "gone"
        if status in _GOOD:
            say(f"  {name}: done")
            return
        if not status.endswith("_IN_PROGRESS"):
            raise CommandError(f"{name} ended as {status}: {_why(client, name)}")
        if time.monotonic() > deadline:
            raise CommandError(
                f"{name} is still {status}; look at it in the console, then run it again"
            )
        time.sleep(look)


def _why(client: "CloudFormationClient", name: str) -> str:
    """The first failure of the last operation: those after it are its consequences."""
    events: list[Any] = []
    for page in client.get_paginator("describe_stack_events").paginate(StackName=name):
        for event in page["StackEvents"]:
            events.append(event)
            if _begins(event):
                return _first_failure(events)
    return _first_failure(events)


def _begins(event: Mapping[str, Any]) -> bool:
    """Whether an event is the stack's own beginning of an operation; they come newest first."""
    itself = event["ResourceType"] == "AWS::CloudFormation::Stack"
    begun = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}
    return itself and event.get("ResourceStatus") in begun


def _first_failure(events: list[Any]) -> str:
    for event in reversed(events):
        if str(event.get("ResourceStatus", "")).endswith("_FAILED"):
            reason = " ".join(str(event.get("ResourceStatusReason", "no reason")).split())
            return f"{event['LogicalResourceId']}: {reason}"
    return "no resource says why"
