"""The template that `chalice package` writes, and its translation by SAM."""

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
# Seconds between two polls of a stack, and its time limit.
LOOK = 0.2
LONGEST = 60


class _NoManagedPolicies(ManagedPolicyLoader):
    """A SAM translator without managed policies: our functions have their own."""

    def __init__(self) -> None:
        """There is no IAM to ask."""

    def load(self) -> dict[str, str]:
        """None at all; asking AWS for them is what the base class would do."""
        return {}


def package(copy: Checkout) -> dict[str, Any]:
    """Package the stage with Chalice, and return the SAM template with code in `CODE_BUCKET`."""
    chalice = str(Path(sys.executable).with_name("chalice"))
    made = copy.python(chalice, "package", "--stage", STAGE, "out")
    assert made.returncode == 0, made.stderr
    template: dict[str, Any] = json.loads((copy.path / "out" / "sam.json").read_bytes())
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{CODE_BUCKET}/{CODE_KEY}"
    return template


def translated(template: Mapping[str, Any]) -> dict[str, Any]:
    """Translate the template for CloudFormation."""
    plain: dict[str, Any] = json.loads(
        json.dumps(transform(dict(template), {}, _NoManagedPolicies()))
    )
    return plain


def faults(template: str) -> list[str]:
    """List the errors and warnings of cfn-lint for a template."""
    return [str(match) for match in lint(template)]


def create_stack(around: Surroundings, name: str, template: str) -> dict[str, str]:
    """Create a stack in the emulator and return its outputs. A failure shows its events."""
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
