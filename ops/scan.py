"""`python -m ops.scan`: makes a pass now, by hand, and shows what it did."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from ops import checks
from ops.asking import agreed
from ops.command import ended, say, stage_parser
from ops.stages import Stage, read_stage
from ops.stop import Stop, stopping

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# A pass takes 900 seconds at most; a second invocation would only find the lease taken.
PATIENT = Config(read_timeout=920, retries={"total_max_attempts": 1})
_WARNING = (
    "This removes at once every node that SSM does not list now, and resolves its findings. "
    "Go on? [y/N]"
)


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    top = stage_parser("scan", __doc__)
    top.add_argument("--full", action="store_true", help="read every node, whatever is known")
    top.add_argument(
        "--accept-missing", action="store_true", help="nodes that SSM does not list are gone"
    )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a pass; 1 where it was not made or left something undone."""
    asked = parser().parse_args(arguments)
    return ended("scan", lambda: scan(asked))


def scan(asked: argparse.Namespace) -> int:
    """Ask where something is removed, make the pass, show it; 1 where none was made."""
    stage = read_stage(asked.stage)
    if asked.accept_missing:
        agreed(_WARNING, env=os.environ)
    client = checks.place().session.client("lambda", config=PATIENT)
    answer = invoke(client, stage, full=asked.full, accept_missing=asked.accept_missing)
    say(shown(answer))
    return 0 if answer["scans"] else 1


def invoke(
    client: "LambdaClient", stage: Stage, *, full: bool, accept_missing: bool
) -> Mapping[str, Any]:
    """What `reconcile` answers; `Stop` carries the error that it ended with."""
    function = f"{stage.prefix}-reconcile"
    with stopping(f"the function {function}"):
        try:
            answer = client.invoke(
                FunctionName=function,
                Payload=json.dumps({"full": full, "accept_missing": accept_missing}).encode(),
            )
        except ClientError as error:
            if error.response["Error"].get("Code") != "ResourceNotFoundException":
                raise
            raise Stop(f"there is no function {function} here: make deploy first") from error
    content: Mapping[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise Stop(
            f"{function} ended with an error: {content.get('errorMessage')}; docs/operations.md "
            "says what to do"
        )
    return content


def shown(answer: Mapping[str, Any]) -> str:
    """The passes as people read them."""
    if not answer["scans"]:
        return "Another pass is under way and does the work; ask again when it has ended."
    return "\n".join(_pass(each) for each in answer["scans"])


def _pass(made: Mapping[str, Any]) -> str:
    said = made.get("topic") or "nothing"
    lines = [
        f"Pass {made['scan_id']}, {made['seconds']:.1f} s, {made['api_calls']} calls",
        (
            f"  nodes      {made['nodes_known']} known, {made['nodes_changed']} changed, "
            f"{made['nodes_deferred']} left, {made['nodes_unverified']} in doubt, "
            f"{made['nodes_missing']} missing"
        ),
        (
            f"  findings   {made['opened']} opened, {made['resolved']} resolved, "
            f"{made['open']} open, {made['snoozed']} kept quiet"
        ),
        f"  said       {said} ({made['told']} findings)",
        (
            f"  delivery   {made['delivered']} steps taken, {made['undelivered']} failed, "
            f"{made['pending_messages']} messages waiting"
        ),
    ]
    if made["braked"]:
        lines.append("  brake      too many nodes are missing; nothing was removed")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
