"""The commands of `python -m devstack`: what each one does once its arguments are read."""

import argparse
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chalicelib.domain.access import Role
from devstack.inspec.loader import find_last_report, load_now
from devstack.local_app import Handlers, create_tokens, open_token_store, serve_api
from devstack.slack.model import Message, decode_messages
from devstack.slack.terminal import render_transcript
from devstack.stack import STATE, NotRunningError, Ports, RunningStack, read_running, run_stack
from devstack.story.api_client import ApiClient
from devstack.story.narrator import Narrator
from devstack.story.scenes import Story
from devstack.story.snooze_scenes import SnoozeScenes
from devstack.up import show_addresses
from ops import token_commands

KEPT = Path("build/devstack")
# Who snoozes in the story.
AUTHOR = "oncall"


def run(ports: Ports, console: Console) -> None:
    """Play the story, keep what it made, end."""
    KEPT.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with run_stack(ports.aws, ports.slack) as running, (KEPT / "lambda.log").open("w") as log:
        # before the API: it reads its settings from the environment that this sets
        telling = Narrator(running, Handlers(running.env, log), console, KEPT)
        with serve_api(ports.api) as api_url:
            addresses = {
                "AWS (SSM, DynamoDB, S3)": running.aws.url,
                "Slack channel": running.slack.page_url,
                "API": api_url,
            }
            show_addresses(addresses, console)
            (token,) = create_tokens(running.env, **{AUTHOR: Role.OPERATOR}).values()
            client = ApiClient(api_url, token)
            Story(telling, SnoozeScenes(telling, client, AUTHOR)).play()
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


def load_command(report: str, instance: str, console: Console) -> None:
    """Do with a report file what AWS-RunInspecChecks does with InSpec's output on a node."""
    running = find_alive()
    content = sys.stdin.buffer.read() if report == "-" else Path(report).read_bytes()
    loaded = load_now(running.aws_url, instance, content)
    console.print(
        f"{instance}: {loaded.items} compliance items, {loaded.non_compliant} non-compliant"
    )
    for warning in loaded.warnings:
        console.print(Text(f"note: {warning}", "yellow"))


def scan_command(status: str, console: Console) -> None:
    """Let the event of the association execution arrive that the newest report belongs to."""
    running = find_alive()
    began = find_last_report(running.aws_url)
    answer = Handlers(running.env, sys.stderr).scan(began, {}, status)
    _show_answer(answer, running, console)


def monthly_command(console: Console) -> None:
    """Let the monthly schedule tick."""
    running = find_alive()
    _show_answer(Handlers(running.env, sys.stderr).report_month(), running, console)


def reconcile_command(console: Console, *, full: bool, accept_missing: bool) -> None:
    """Let the schedule of every 15 minutes tick, with what a person may add."""
    running = find_alive()
    payload = {"full": full, "accept_missing": accept_missing}
    _show_answer(Handlers(running.env, sys.stderr).reconcile(payload), running, console)


def token_command(asked: argparse.Namespace, console: Console) -> None:
    """Make, list or revoke tokens of the API."""
    running = find_alive()
    with open_token_store(running.env) as store:
        token_commands.run(asked, store, console.file)
    if running.api_url:
        console.print(Text(f"The API: {running.api_url}", "dim"))


def channel_command(console: Console) -> None:
    """Print the Slack channel."""
    running = find_alive()
    answer = msgspec.json.decode(_read(f"{running.page_url}_devstack/messages"))
    messages: tuple[Message, ...] = decode_messages(answer["messages"])
    console.print(render_transcript(messages) if messages else "The channel is empty.")
    console.print(Text(f"As a page: {running.page_url}", "dim"))


def find_alive() -> RunningStack:
    """The running stack; one that ended without saying so counts as none."""
    running = read_running()
    address = urlsplit(running.page_url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=2)
    try:
        connection.connect()
    except OSError as error:
        raise NotRunningError(
            f"The stack that {STATE} names does not answer. Start it again: make up"
        ) from error
    finally:
        connection.close()
    return running


def _show_answer(answer: dict[str, object], running: RunningStack, console: Console) -> None:
    console.print_json(msgspec.json.encode(answer).decode())
    passes: list[dict[str, object]] = answer["scans"]  # type: ignore[assignment]
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
        raise NotRunningError(f"{url} does not answer: {error.reason}") from error
    return content
