"""`python -m devstack`: ec2-inspec-scan on this machine, without an AWS account or Slack."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from chalicelib.domain.errors import ServiceError
from devstack.environment import isolate
from ops.tokens import add_verbs


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(prog="python -m devstack", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, text in {
        "run": "play the main job, check every count and end; exit with 1 if a count is wrong",
        "up": "keep the stack running for you to try",
    }.items():
        command = commands.add_parser(name, help=text)
        for port in ("aws", "slack", "api") + (("viewer",) if name == "up" else ()):
            command.add_argument(
                f"--{port}-port", type=int, default=0, help="0, the default, is a free port"
            )
    load = commands.add_parser("load", help="load the InSpec report of a node into SSM")
    load.add_argument("report", help="output of `inspec exec --reporter json`, - is standard input")
    load.add_argument("--instance", required=True, help="the node, such as i-0a1b2c3d4e5f60001")
    load.add_argument(
        "--cut-titles",
        action="store_true",
        help="cut titles over 500 characters, for which AWS-RunInspecChecks would fail",
    )
    scan = commands.add_parser("scan", help="send the association event to ec2-inspec-scan")
    scan.add_argument("--status", choices=("Success", "Failed"), default="Success")
    commands.add_parser("monthly", help="send the monthly event to monthly-alert")
    reconcile = commands.add_parser("reconcile", help="send the 15-minute event to reconcile")
    reconcile.add_argument("--full", action="store_true", help="read every node again")
    reconcile.add_argument(
        "--accept-missing", action="store_true", help="confirm that the missing nodes are gone"
    )
    add_verbs(commands.add_parser("token", help="create, list or revoke tokens of the API"))
    commands.add_parser("channel", help="print the Slack channel")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 1 if it failed, with the reason on standard error."""
    arguments = build_parser().parse_args(argv)
    isolate()
    # the stand-ins read the environment at import
    from devstack import commands  # noqa: PLC0415
    from devstack.stack import NotRunningError, Ports  # noqa: PLC0415
    from devstack.story.narrator import StoryError  # noqa: PLC0415
    from devstack.story.play import play_story  # noqa: PLC0415
    from devstack.up import keep_running  # noqa: PLC0415

    console = Console(highlight=False)
    try:
        match arguments.command:
            case "run":
                ports = Ports(arguments.aws_port, arguments.slack_port, arguments.api_port)
                play_story(ports, console)
            case "up":
                ports = Ports(
                    arguments.aws_port,
                    arguments.slack_port,
                    arguments.api_port,
                    arguments.viewer_port,
                )
                keep_running(ports, console)
            case "load":
                commands.load_report(
                    arguments.report, arguments.instance, console, cut_titles=arguments.cut_titles
                )
            case "scan":
                commands.send_association_event(arguments.status, console)
            case "monthly":
                commands.send_monthly_event(console)
            case "reconcile":
                commands.send_reconcile_event(
                    console, full=arguments.full, accept_missing=arguments.accept_missing
                )
            case "token":
                commands.run_token_command(arguments, console)
            case _:
                commands.print_channel(console)
    except (StoryError, NotRunningError, OSError, ValueError, ServiceError) as error:
        Console(stderr=True).print(Text(f"{arguments.command} failed: {error}", "bold red"))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
