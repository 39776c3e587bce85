"""Runs a scan now and shows what it did."""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from ops.aws import explain_errors, find_account
from ops.console import CommandError, confirm, print_line
from ops.stages import Stage, read_stage

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Lambda ends a scan after 900 seconds. A retry would only find the lease taken.
PATIENT = Config(read_timeout=920, retries={"total_max_attempts": 1})
_WARNING = (
    "This removes every node that SSM does not list now, together with its findings. "
    "Continue? [y/N]"
)


def scan(name: str, *, full: bool, accept_missing: bool) -> int:
    """Run a scan and print its report. Returns 1 if another scan is running, else 0."""
    stage = read_stage(name)
    if accept_missing:
        confirm(_WARNING, env=os.environ)
    client = find_account(stage).session.client("lambda", config=PATIENT)
    response = invoke_reconcile(client, stage, full=full, accept_missing=accept_missing)
    print_line(describe_scans(response))
    return 0 if response["scans"] else 1


def invoke_reconcile(
    client: "LambdaClient", stage: Stage, *, full: bool, accept_missing: bool
) -> Mapping[str, Any]:
    """Invoke `reconcile` and return its response, or raise `CommandError` with its error."""
    function = f"{stage.prefix}-reconcile"
    payload = {"full": full, "accept_missing": accept_missing}
    with explain_errors(f"the function {function}"):
        try:
            response = client.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        except ClientError as error:
            if error.response["Error"].get("Code") != "ResourceNotFoundException":
                raise
            raise CommandError(
                f"the function {function} does not exist; run make deploy STAGE={stage.name} first"
            ) from error
    content: Mapping[str, Any] = json.loads(response["Payload"].read())
    if response.get("FunctionError"):
        raise CommandError(
            f"{function} failed: {content.get('errorMessage')}; docs/operations.md explains what "
            "to do"
        )
    return content


def describe_scans(response: Mapping[str, Any]) -> str:
    """Describe the scans of a response for people."""
    if not response["scans"]:
        return "Another scan is running. Run this again when it has ended."
    return "\n".join(_describe_scan(each) for each in response["scans"])


def _describe_scan(facts: Mapping[str, Any]) -> str:
    announced = f"{facts['announced']} findings ({facts['topic']})" if facts["topic"] else "nothing"
    lines = [
        f"Scan {facts['scan_id']}, {facts['seconds']:.1f} s, {facts['api_calls']} AWS calls",
        (
            f"  nodes      {facts['nodes_known']} known, {facts['nodes_changed']} changed, "
            f"{facts['nodes_deferred']} deferred, {facts['nodes_unverified']} unverified, "
            f"{facts['nodes_missing']} missing"
        ),
        (
            f"  findings   {facts['findings_new']} new, {facts['findings_fixed']} fixed, "
            f"{facts['findings_gone']} gone with their node, {facts['open']} open, "
            f"{facts['snoozed']} snoozed"
        ),
        f"  announced  {announced}",
        (
            f"  delivery   {facts['delivered']} steps succeeded, {facts['undelivered']} failed, "
            f"{facts['pending_messages']} messages pending"
        ),
    ]
    if facts["braked"]:
        lines.append("  brake      too many nodes are missing, so none was removed")
    return "\n".join(lines)
