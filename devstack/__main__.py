"""`python -m devstack`: the stack of one machine, from the command line."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from chalicelib.domain.errors import ServiceError
from devstack.environment import isolate
from ops.token_commands import add_commands

_PORT = "0 (usual): a free one"


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    top = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in {
        "run": "play the main job and end; exit 1 if a count is wrong",
        "up": "keep the stack running to click through",
    }.items():
        command = commands.add_parser(name, help=text)
        for port in ("aws", "slack", "api") + (("viewer",) if name == "up" else ()):
            command.add_argument(f"--{port}-port", type=int, default=0, help=_PORT)
    load = commands.add_parser("load", help="let a node report, as AWS-RunInspecChecks does")
    load.add_argument("report", help="file of `inspec exec --reporter json`, - for standard input")
    load.add_argument("--instance", required=True, help="the node, such as i-0a1b2c3d4e5f60001")
    scan = commands.add_parser("scan", help="hand the association event to ec2-inspec-scan")
    scan.add_argument("--status", choices=("Success", "Failed"), default="Success")
    commands.add_parser("monthly", help="hand the monthly tick to monthly-alert")
    reconcile = commands.add_parser("reconcile", help="hand the 15-minute tick to reconcile")
    reconcile.add_argument("--full", action="store_true", help="read every node again")
    reconcile.add_argument(
        "--accept-missing", action="store_true", help="the missing nodes are really gone"
    )
    add_commands(commands.add_parser("token", help="make, list or revoke tokens of the API"))
    commands.add_parser("channel", help="print the Slack channel")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 where it failed, with the reason on standard error."""
    asked = parser().parse_args(arguments)
    isolate()
    # the stand-ins read the environment when they are imported
    from devstack import commands, up  # noqa: PLC0415
    from devstack.stack import NotRunningError, Ports  # noqa: PLC0415
    from devstack.story.narrator import StoryError  # noqa: PLC0415

    console = Console(highlight=False)
    try:
        match asked.command:
            case "run":
                commands.run(Ports(asked.aws_port, asked.slack_port, asked.api_port), console)
            case "up":
                ports = Ports(asked.aws_port, asked.slack_port, asked.api_port, asked.viewer_port)
                up.up(ports, console)
            case "load":
                commands.load_command(asked.report, asked.instance, console)
            case "scan":
                commands.scan_command(asked.status, console)
            case "monthly":
                commands.monthly_command(console)
            case "reconcile":
                commands.reconcile_command(
                    console, full=asked.full, accept_missing=asked.accept_missing
                )
            case "token":
                commands.token_command(asked, console)
            case _:
                commands.channel_command(console)
    except (StoryError, NotRunningError, OSError, ValueError, ServiceError) as error:
        Console(stderr=True).print(Text(f"{asked.command} failed: {error}", "bold red"))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
