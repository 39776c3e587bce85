"""Keeps the stack running to click through: the API, its viewer and two tokens come with it."""

import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chalicelib.domain.access import Role
from devstack.inspec.loader import FLEET, load_sample, read_clock
from devstack.local_app import Handlers, create_tokens, serve_api
from devstack.stack import Ports, RunningStack, publish_running, run_stack
from devstack.viewer import serve_viewer


def up(ports: Ports, console: Console) -> None:
    """Keep the stack running, with the sample fleet scanned once, until Ctrl-C or a SIGTERM."""
    # set, not inherited: a shell starts a background process with Ctrl-C ignored
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _run(ports, console)
    console.print("Stopped.")


def _run(ports: Ports, console: Console) -> None:
    with run_stack(ports.aws, ports.slack) as running:
        # before the API: it reads its settings from the environment that this sets
        handlers = Handlers(running.env, sys.stderr)
        with serve_api(ports.api) as api, serve_viewer(api, ports.viewer) as viewer_url:
            state = RunningStack(running.aws.url, running.slack.page_url, running.env, api)
            with publish_running(state):
                tokens = create_tokens(running.env, operator=Role.OPERATOR, viewer=Role.VIEWER)
                with console.status("the sample fleet reports and is scanned"):
                    began = read_clock()
                    for node, name in FLEET.items():
                        load_sample(running.aws.url, node, name)
                    handlers.scan(began, {"Success": len(FLEET)})
                show_addresses(
                    {
                        "AWS (SSM, DynamoDB, S3)": running.aws.url,
                        "Slack channel": running.slack.page_url,
                        "API": api,
                        "API, to read and try": viewer_url,
                    },
                    console,
                )
                _show_tokens(api, tokens, console)
                console.print(_HINTS)
                console.print("Ctrl-C ends it.", style="bold")
                while True:
                    time.sleep(3600)


_HINTS = """In another terminal:
  python -m devstack load devstack/samples/ubuntu-good.json --instance i-0a1b2c3d4e5f60004
  python -m devstack scan        the association event reaches ec2-inspec-scan
  python -m devstack monthly     the month ends
  python -m devstack reconcile   the tick of every 15 minutes
  python -m devstack token add --name me --role operator    another token for the API
  python -m devstack channel     print the Slack channel here
(use .venv/bin/python, or activate the virtual environment)"""


def show_addresses(addresses: Mapping[str, str], console: Console) -> None:
    """Print where everything listens."""
    table = Table(box=None, show_header=False)
    for name, url in addresses.items():
        table.add_row(name, url)
    console.print(table)


def _show_tokens(api: str, tokens: Mapping[str, str], console: Console) -> None:
    """Print the tokens, on lines that no terminal's width cuts."""
    console.print("\nTokens of the API, shown this once:")
    for name, token in tokens.items():
        console.print(Text(f"  {name:8}  {token}"), soft_wrap=True)
    curl = f"curl -H 'Authorization: Bearer {tokens['operator']}' '{api}/v1/findings?limit=2'"
    console.print(Text(f"  {curl}\n"), soft_wrap=True)
