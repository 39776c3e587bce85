"""`python -m ops.destroy`: takes the code of a stage away, and leaves what it has stored."""

import os
import sys
from collections.abc import Sequence

from ops import chalice_cli, checks, stacks
from ops.asking import agreed
from ops.checks import Place
from ops.command import ended, say, stage_parser
from ops.stages import Stage, read_stage
from ops.stop import stopping


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, then remove; 1 where it stopped, with the reason on standard error."""
    name = stage_parser("destroy", __doc__).parse_args(arguments).stage
    return ended("destroy", lambda: ask_and_destroy(name))


def ask_and_destroy(name: str) -> None:
    """Say what goes and what stays, ask, remove."""
    stage = read_stage(name)
    where = checks.place()
    say(plan(stage, where))
    agreed(f"Type {stage.name} to go on:", stage.name, os.environ)
    destroy(stage, where)


def plan(stage: Stage, where: Place) -> str:
    """What goes and what stays."""
    return "\n".join(
        [
            f"Stage {stage.name} in account {where.account}, region {where.region}:",
            f"  goes   the functions {stage.prefix}-*, their roles and rules, the API",
            f"  goes   {stage.prefix}-operations: queue, alarms, dashboard",
            f"  stays  {stage.prefix}-data: tables, bucket, logs, and the association, which goes",
            "         on scanning nodes (set Association to none and deploy first to end it)",
            "  stays  the SSM parameters with the tokens",
            "Nobody is alerted any more.",
        ]
    )


def destroy(stage: Stage, where: Place) -> None:
    """Remove operations first, since they refer to the functions; can be repeated."""
    say("\n1/2 Operations")
    with stopping("operations stack"):
        client = where.session.client("cloudformation")
        stacks.remove(client, f"{stage.prefix}-operations", say)
    say("\n2/2 Functions and API")
    with stopping("API Gateway"):
        chalice_cli.adopt_api(where.session.client("apigateway"), stage)
    if not chalice_cli.deployed(stage):
        say("  nothing of them is recorded in .chalice/deployed")
        return
    chalice_cli.run("delete", "--stage", stage.name)
    say("Gone. Commit .chalice/deployed.")


if __name__ == "__main__":
    sys.exit(main())
