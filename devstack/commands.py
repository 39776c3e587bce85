"""The commands of `python -m devstack`: what each one does once its arguments are read."""

import argparse
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chalicelib.adapters.access_tokens import ParameterTokens
from devstack.aws.session import local_session
from devstack.handlers import Handlers
from devstack.running import STATE, NothingRunsError, Running, announced, find
from devstack.sample_fleet import FLEET, last_report, load, load_sample, started_now
from devstack.slack.model import Message, messages_from_json
from devstack.slack.transcript import transcript
from devstack.stack import Stack, stack
from devstack.story import Story
from infra import token_commands

KEPT = Path("build/devstack")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the stand-ins listen; 0 takes a free port."""

    aws: int = 0
    slack: int = 0


def run(ports: Ports, console: Console) -> None:
    """Play the story, keep what it made, end."""
    KEPT.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with stack(ports.aws, ports.slack) as running, (KEPT / "lambda.log").open("w") as log:
        _show_addresses(running, console)
        Story(running, Handlers(running.env, log), console, KEPT).play()
        page = KEPT / "channel.html"
        page.write_bytes(_read(running.slack.page_url))
    console.rule("[bold green]All counts are as they should be", align="left")
    kept = Table(box=None, show_header=False)
    kept.add_row("Slack channel, as a page", str(page))
    kept.add_row("CSV of the first alert", str(KEPT / "first-alert.csv"))
    kept.add_row("CSV of the month", str(KEPT / "monthly.csv"))
    kept.add_row("Logs and metrics of the functions", str(KEPT / "lambda.log"))
    kept.add_row("To click through", "make up")
    console.print(kept)
    console.print(f"{time.monotonic() - began:.1f} seconds")


def up(ports: Ports, console: Console) -> None:
    """Keep the stack running, with the sample fleet scanned once, until Ctrl-C."""
    with stack(ports.aws, ports.slack) as running:
        state = Running(running.aws.url, running.slack.page_url, running.env)
        handlers = Handlers(running.env, sys.stderr)
        with announced(state), console.status("the sample fleet reports and is scanned"):
            began = started_now()
            for node, name in FLEET.items():
                load_sample(running.aws.url, node, name)
            handlers.scan(began, {"Success": len(FLEET)})
            _show_addresses(running, console)
            console.print(_HINTS)
            console.print("Ctrl-C ends it.", style="bold")
        with announced(state):
            _wait_for_interrupt()
    console.print("Stopped.")


_HINTS = """In another terminal:
  python -m devstack load devstack/samples/ubuntu-good.json --instance i-0a1b2c3d4e5f60004
  python -m devstack scan        the association event reaches ec2-inspec-scan
  python -m devstack monthly     the month ends
  python -m devstack reconcile   the tick of every 15 minutes
  python -m devstack token add --name me --role operator    a token for the API
  python -m devstack channel     print the Slack channel here
(use .venv/bin/python, or activate the virtual environment)"""


def load_command(report: str, instance: str, console: Console) -> None:
    """Do with a report file what AWS-RunInspecChecks does with InSpec's output on a node."""
    running = find_alive()
    content = sys.stdin.buffer.read() if report == "-" else Path(report).read_bytes()
    loaded = load(running.aws_url, instance, content)
    console.print(
        f"{instance}: {loaded.items} compliance items, {loaded.non_compliant} non-compliant"
    )
    for warning in loaded.warnings:
        console.print(Text(f"note: {warning}", "yellow"))


def scan_command(status: str, console: Console) -> None:
    """Let the event of the association execution arrive that the newest report belongs to."""
    running = find_alive()
    began = last_report(running.aws_url)
    answer = Handlers(running.env, sys.stderr).scan(began, {}, status)
    _show_answer(answer, running, console)


def monthly_command(console: Console) -> None:
    """Let the monthly schedule tick."""
    running = find_alive()
    _show_answer(Handlers(running.env, sys.stderr).monthly(), running, console)


def reconcile_command(console: Console, *, full: bool, accept_missing: bool) -> None:
    """Let the schedule of every 15 minutes tick, with what a person may add."""
    running = find_alive()
    payload = {"full": full, "accept_missing": accept_missing}
    _show_answer(Handlers(running.env, sys.stderr).reconcile(payload), running, console)


def token_command(asked: argparse.Namespace, console: Console) -> None:
    """Make, list or revoke tokens of the API."""
    env = find_alive().env
    with closing(local_session().client("ssm", endpoint_url=env["AWS_ENDPOINT_URL"])) as ssm:
        store = ParameterTokens(ssm, env["API_TOKENS_PARAMETER"])
        token_commands.run(asked, store, console.file)


def channel_command(console: Console) -> None:
    """Print the Slack channel."""
    running = find_alive()
    answer = msgspec.json.decode(_read(f"{running.page_url}_devstack/messages"))
    messages: tuple[Message, ...] = messages_from_json(answer["messages"])
    console.print(transcript(messages) if messages else "The channel is empty.")
    console.print(Text(f"As a page: {running.page_url}", "dim"))


def find_alive() -> Running:
    """The running stack; one that ended without saying so counts as none."""
    running = find()
    address = urlsplit(running.page_url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=2)
    try:
        connection.connect()
    except OSError as error:
        raise NothingRunsError(
            f"The stack that {STATE} names does not answer. Start it again: make up"
        ) from error
    finally:
        connection.close()
    return running


def _show_addresses(running: Stack, console: Console) -> None:
    table = Table(box=None, show_header=False)
    table.add_row("AWS (SSM, DynamoDB, S3)", running.aws.url)
    table.add_row("Slack channel", running.slack.page_url)
    console.print(table)


def _show_answer(answer: dict[str, object], running: Running, console: Console) -> None:
    console.print_json(msgspec.json.encode(answer).decode())
    passes: list[dict[str, object]] = answer["passes"]  # type: ignore[assignment]
    if not any(each["topic"] or each["delivered"] for each in passes):
        console.print(
            "Slack was told nothing: nothing is new, and this execution is answered already "
            "(a quiet answer comes once an hour). Load a report first."
        )
    console.print(Text(f"The channel: {running.page_url}", "dim"))


def _read(url: str) -> bytes:
    try:
        with urlopen(url, timeout=10) as answer:  # noqa: S310 - our own stand-in
            content: bytes = answer.read()
    except URLError as error:
        raise NothingRunsError(f"{url} does not answer: {error.reason}") from error
    return content


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        return
