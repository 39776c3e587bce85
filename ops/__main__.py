"""`python -m ops`: deploys and operates a stage of ec2-inspec-scan in an AWS account."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ops.console import CommandError, print_line
from ops.controls import store_controls
from ops.copy_stage import copy_stage
from ops.deploy import deploy, destroy
from ops.package import build_package, describe_package
from ops.ping import ping
from ops.restore import TABLES, restore
from ops.scan import scan
from ops.take_over import take_over
from ops.tokens import add_verbs, manage_deployed_tokens

_STAGE = "a stage in .chalice/config.json, such as dev"
_QUESTION = "Set YES=1 to answer its question without a terminal."


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all verbs and their arguments."""
    top = argparse.ArgumentParser(
        prog="python -m ops",
        description="Deploys and operates a stage of ec2-inspec-scan in an AWS account.",
        epilog="Most verbs also exist as make targets: make help.",
    )
    verbs = top.add_subparsers(dest="verb", required=True)

    def add(verb: str, text: str, more: str = "") -> argparse.ArgumentParser:
        description = f"{text[0].upper()}{text[1:]}. {more}".strip()
        return verbs.add_parser(verb, help=text, description=description)

    def add_for_stage(verb: str, text: str, more: str = "") -> argparse.ArgumentParser:
        parser = add(verb, text, more)
        parser.add_argument("--stage", required=True, help=_STAGE)
        return parser

    add_for_stage(
        "deploy",
        "deploy or update a stage",
        "Shows the plan and its monthly costs, asks, then creates or updates the stacks, the "
        "functions and the API. If a step fails, fix the cause and run it again. Set "
        f"SLACK_CHANNEL=C0123456789 for the first deployment. {_QUESTION}",
    )
    scanning = add_for_stage(
        "scan",
        "run a scan now and show what it did",
        "Exits with 1 if another scan is running.",
    )
    scanning.add_argument(
        "--full", action="store_true", help="read every node, also those that did not change"
    )
    scanning.add_argument(
        "--accept-missing",
        action="store_true",
        help="remove the nodes that SSM does not list, and their findings; asks first (YES=1)",
    )
    add_for_stage(
        "ping",
        "post a test message and a test file to the Slack channel",
        "Uses the token and the channel of the stage's functions.",
    )
    copying = add("stage", "copy a stage, as for another account or region").add_subparsers(
        dest="stage_verb", required=True
    )
    copied = copying.add_parser(
        "copy",
        help="copy a stage to a new name",
        description="Copies the settings, stack parameters and policies of a stage to a new name. "
        "Deploys nothing.",
    )
    copied.add_argument("source", metavar="STAGE", help=_STAGE)
    copied.add_argument("name", metavar="NAME", help="the name of the new stage")
    token = add("token", "add, list or revoke API tokens")
    for verb in add_verbs(token):
        target = verb.add_mutually_exclusive_group(required=True)
        target.add_argument("--stage", help=_STAGE)
        target.add_argument("--parameter", help="the name of an SSM parameter, instead of a stage")
    add_for_stage(
        "package",
        "package a stage as deploy does and check the content",
        "Writes build/package-<stage>. Deploys nothing.",
    )
    add_for_stage(
        "destroy",
        "delete the functions and alarms of a stage and keep its data",
        "Shows what goes and what stays, and asks for the stage's name. Set YES=<stage> to "
        "answer without a terminal.",
    )
    restoring = add_for_stage(
        "restore",
        "make a table of a stage equal to a restored copy",
        f"No scan runs meanwhile. Safe to repeat. {_QUESTION}",
    )
    restoring.add_argument("--table", required=True, choices=TABLES, help="the table to overwrite")
    restoring.add_argument(
        "--from", required=True, dest="source", metavar="TABLE", help="the restored copy"
    )
    describing = add_for_stage(
        "controls",
        "store what the controls of another profile say, so that findings come with a fix",
        "Deploying does this for the profile in inspec/.",
    )
    describing.add_argument(
        "--profile",
        required=True,
        type=Path,
        help="the folder of the profile, or what `inspec json` wrote of it",
    )
    importing = add_for_stage(
        "take-over",
        "import the findings of an older program's table",
        "The stage must not have scanned yet. The old table is only read.",
    )
    importing.add_argument(
        "--from", required=True, dest="source", metavar="TABLE", help="the old table"
    )
    importing.add_argument("--dry-run", action="store_true", help="read and count, write nothing")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb. Returns its exit code, 1 if it failed with the reason on standard error."""
    args = build_parser().parse_args(arguments)
    try:
        return run_verb(args)
    except CommandError as error:
        sys.stderr.write(f"{args.verb} failed: {error}\n")
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{args.verb} was interrupted and may be half done\n")
    return 1


def run_verb(args: argparse.Namespace) -> int:
    """Run the verb of parsed arguments and return its exit code."""
    match args.verb:
        case "deploy":
            deploy(args.stage, os.environ)
        case "scan":
            return scan(args.stage, full=args.full, accept_missing=args.accept_missing)
        case "ping":
            ping(args.stage)
        case "stage":
            print_line(copy_stage(args.source, args.name))
        case "token":
            manage_deployed_tokens(args)
        case "package":
            print_line(describe_package(build_package(args.stage)))
        case "destroy":
            destroy(args.stage, os.environ)
        case "restore":
            print_line(restore(args.stage, args.table, args.source))
        case "controls":
            print_line(store_controls(args.stage, args.profile))
        case _:
            print_line(take_over(args.stage, args.source, dry_run=args.dry_run))
    return 0


if __name__ == "__main__":
    sys.exit(main())
