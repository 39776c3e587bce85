"""The template that `chalice package` writes, and what SAM makes of it."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cfnlint.api import lint
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform

from tests.deploy.checkout import STAGE, Checkout
from tests.deploy.deployed import Surroundings

CODE_BUCKET = "code-of-the-functions"
CODE_KEY = "deployment.zip"
# Seconds between two looks at a stack, and until it must be done.
LOOK = 0.2
LONGEST = 60


class _NoManagedPolicies(ManagedPolicyLoader):
    """SAM looks managed policies up by name; our functions bring their own."""

    def __init__(self) -> None:
        """There is no IAM to ask."""

    def load(self) -> dict[str, str]:
        """None at all; asking AWS for them is what the base class would do."""
        return {}


def package(copy: Checkout) -> dict[str, Any]:
    """Package the stage as Chalice does; returns the SAM template, its code in `CODE_BUCKET`."""
    chalice = str(Path(sys.executable).with_name("chalice"))
    made = copy.python(chalice, "package", "--stage", STAGE, "out")
    assert made.returncode == 0, made.stderr
    template: dict[str, Any] = json.loads((copy.path / "out" / "sam.json").read_bytes())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{CODE_BUCKET}/{CODE_KEY}"
    return template


def translated(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template as CloudFormation runs it."""
    plain: dict[str, Any] = json.loads(
        json.dumps(transform(dict(template), {}, _NoManagedPolicies()))
    )
    return plain


def faults(template: str) -> list[str]:
    """What cfn-lint has against a template, warnings included."""
    return [str(match) for match in lint(template)]


def create_stack(around: Surroundings, name: str, template: str) -> dict[str, str]:
    """Create a stack of a stage in the emulator; returns its outputs, or fails with its events."""
    with around.client("cloudformation") as client:
        client.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
        deadline = time.monotonic() + LONGEST
        while True:
            (stack,) = client.describe_stacks(StackName=name)["Stacks"]
            if not stack["StackStatus"].endswith("IN_PROGRESS") or time.monotonic() > deadline:
                break
            time.sleep(LOOK)
        events = client.describe_stack_events(StackName=name)["StackEvents"]
    assert stack["StackStatus"] == "CREATE_COMPLETE", events
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
