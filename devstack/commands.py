"""The commands of `python -m devstack` that work on a running stack."""

import argparse
import sys
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import msgspec
from rich.console import Console
from rich.text import Text

from devstack.inspec.loader import find_last_report, load_now
from devstack.local_app import Handlers, open_token_store
from devstack.slack.model import Message, decode_messages
from devstack.slack.terminal import render_transcript
from devstack.stack import NotRunningError, RunningStack, find_running
from ops.tokens import run_verb


def load_report(report: str, instance: str, console: Console, *, cut_titles: bool) -> None:
    """Load the report file of a node into SSM. "-" means standard input."""
    running = find_running()
    content = sys.stdin.buffer.read() if report == "-" else Path(report).read_bytes()
    loaded = load_now(running.aws_url, instance, content, cut_titles=cut_titles)
    for line in loaded.describe():
        console.print(f"{instance}: {line}")
    for warning in loaded.warnings:
        console.print(Text(f"Warning: {warning}", "yellow"))


def send_association_event(status: str, console: Console) -> None:
    """Send the association event that belongs to the newest report."""
    running = find_running()
    began = find_last_report(running.aws_url)
    response = Handlers(running.env, sys.stderr).scan(began, {}, status)
    _print_response(response, running, console)


def send_monthly_event(console: Console) -> None:
    """Send the event of the monthly schedule."""
    running = find_running()
    _print_response(Handlers(running.env, sys.stderr).report_month(), running, console)


def send_reconcile_event(console: Console, *, full: bool, accept_missing: bool) -> None:
    """Send the event of the 15-minute schedule, with the options of `make scan`."""
    running = find_running()
    options = {"full": full, "accept_missing": accept_missing}
    _print_response(Handlers(running.env, sys.stderr).reconcile(options), running, console)


def run_token_command(arguments: argparse.Namespace, console: Console) -> None:
    """Create, list or revoke tokens of the API."""
    running = find_running()
    with open_token_store(running.env) as store:
        run_verb(arguments, store, console.file)
    if running.api_url:
        console.print(Text(f"The API: {running.api_url}", "dim"))


def print_channel(console: Console) -> None:
    """Print the messages of the Slack channel."""
    running = find_running()
    response = msgspec.json.decode(_download(f"{running.page_url}_devstack/messages"))
    messages: tuple[Message, ...] = decode_messages(response["messages"])
    console.print(render_transcript(messages) if messages else "The channel is empty.")
    console.print(Text(f"The channel as a page: {running.page_url}", "dim"))


def _print_response(response: dict[str, Any], running: RunningStack, console: Console) -> None:
    console.print_json(msgspec.json.encode(response).decode())
    if not any(scan["topic"] or scan["delivered"] for scan in response["scans"]):
        console.print(
            "No message to Slack: nothing is new, and a quiet answer comes at most once an hour. "
            "Load a report first."
        )
    console.print(Text(f"The channel as a page: {running.page_url}", "dim"))


def _download(url: str) -> bytes:
    try:
        with urlopen(url, timeout=10) as response:  # noqa: S310 - our own stand-in
            content: bytes = response.read()
    except URLError as error:
        raise NotRunningError(f"{url} does not respond: {error.reason}") from error
    return content
