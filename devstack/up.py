"""`make up`: keeps a stack running, with the API, its viewer, two tokens and one scan."""

import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chalicelib.domain.access import Role
from devstack.environment import ASSOCIATION
from devstack.inspec.loader import FLEET, load_sample, read_clock
from devstack.local_app import Handlers, create_tokens, serve_api
from devstack.stack import Ports, RunningStack, publish_running, run_stack, store_controls
from devstack.viewer import serve_viewer

_HINTS = """Try in another terminal:
  python -m devstack load devstack/samples/ubuntu-good.json --instance i-0a1b2c3d4e5f60004
  python -m devstack scan        send the association event to ec2-inspec-scan
  python -m devstack monthly     send the monthly event to monthly-alert
  python -m devstack reconcile   send the 15-minute event to reconcile
  python -m devstack token add --name me --role operator    create another token
  python -m devstack channel     print the Slack channel
(use .venv/bin/python, or activate the virtual environment)"""


def keep_running(ports: Ports, console: Console) -> None:
    """Keep a stack running until Ctrl-C or SIGTERM. The sample fleet is scanned once."""
    # explicitly, because a shell starts background processes with Ctrl-C ignored
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        _run_forever(ports, console)
    console.print("Stopped.")


def _run_forever(ports: Ports, console: Console) -> None:
    with run_stack(ports.aws, ports.slack) as running:
        store_controls(running)
        # before the API, which reads the settings that this puts into the environment
        handlers = Handlers(running.env, sys.stderr)
        with serve_api(ports.api) as api, serve_viewer(api, ports.viewer) as viewer:
            state = RunningStack(running.aws.url, running.slack.page_url, running.env, api)
            with publish_running(state):
                tokens = create_tokens(running.env, operator=Role.OPERATOR, viewer=Role.VIEWER)
                with console.status("Loading and scanning the sample fleet"):
                    began = read_clock()
                    for node, name in FLEET.items():
                        load_sample(running.aws.url, node, name)
                    statuses = dict.fromkeys(FLEET, "Success")
                    running.aws.run_association(ASSOCIATION, began, statuses)
                    handlers.scan(began, {"Success": len(FLEET)})
                addresses = {
                    "AWS (SSM, DynamoDB, S3)": running.aws.url,
                    "Slack channel": running.slack.page_url,
                    "API": api,
                    "API, to read and try": viewer,
                }
                _print_addresses(addresses, console)
                _print_tokens(api, tokens, console)
                console.print(_HINTS)
                console.print("Ctrl-C stops it.", style="bold")
                while True:
                    time.sleep(3600)


def _print_addresses(addresses: Mapping[str, str], console: Console) -> None:
    table = Table(box=None, show_header=False)
    for name, url in addresses.items():
        table.add_row(name, url)
    console.print(table)


def _print_tokens(api: str, tokens: Mapping[str, str], console: Console) -> None:
    """Print the tokens unwrapped, so that they can be copied at any width of the terminal."""
    console.print("\nTokens of the API, printed only here:")
    for name, token in tokens.items():
        console.print(Text(f"  {name:8}  {token}"), soft_wrap=True)
    curl = f"curl -H 'Authorization: Bearer {tokens['operator']}' '{api}/v1/findings?limit=2'"
    console.print(Text(f"  {curl}\n"), soft_wrap=True)
