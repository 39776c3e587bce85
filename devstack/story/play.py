"""`make run`: plays the story on a stack of its own, keeps what it made, ends."""

import time
from pathlib import Path
from urllib.request import urlopen

from rich.console import Console
from rich.table import Table

from chalicelib.domain.access import Role
from devstack.local_app import Handlers, create_tokens, serve_api
from devstack.slack import SlackStandIn
from devstack.stack import Ports, run_stack, store_controls
from devstack.story.api_client import ApiClient
from devstack.story.narrator import Narrator
from devstack.story.scenes import Story
from devstack.story.snooze_scenes import SnoozeScenes

FOLDER = Path("build/devstack")
# The person who snoozes in the story.
AUTHOR = "oncall"

INTRODUCTION = """\
Plays the main job of ec2-inspec-scan in seven scenes and checks every count.
AWS and Slack are stand-ins on this machine. Nothing leaves it."""


def play_story(ports: Ports, console: Console) -> None:
    """Play the story and save its channel, CSV files and log in `build/devstack`.

    Raises `StoryError` at the first wrong count.
    """
    began = time.monotonic()
    console.print(INTRODUCTION)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with run_stack(ports.aws, ports.slack) as running, (FOLDER / "lambda.log").open("w") as log:
        store_controls(running)
        # before the API, which reads the settings that this puts into the environment
        narrator = Narrator(running, Handlers(running.env, log), console)
        with serve_api(ports.api) as api_url:
            (token,) = create_tokens(running.env, **{AUTHOR: Role.OPERATOR}).values()
            client = ApiClient(api_url, token, console)
            Story(narrator, SnoozeScenes(narrator, client, AUTHOR)).play()
        files = save_channel(running.slack, FOLDER)
    narrator.print_summary()
    console.print(f"\n{time.monotonic() - began:.1f} seconds. Next:")
    table = Table(box=None, show_header=False)
    table.add_row(f"{FOLDER}/channel.html", "the Slack channel as a page")
    table.add_row(f"{FOLDER}/files/", f"the {files} CSV files of the channel")
    table.add_row(f"{FOLDER}/lambda.log", "the log lines and metrics of the functions")
    table.add_row("make up", "the same stack, kept running for you to try")
    console.print(table)


def save_channel(slack: SlackStandIn, folder: Path) -> int:
    """Save the page of a channel with its files, so that its links work without the stack.

    Returns the number of files.
    """
    with urlopen(slack.page_url, timeout=10) as response:  # noqa: S310 - our own stand-in
        page: str = response.read().decode()
    files = [file for message in slack.messages for file in message.files]
    (folder / "files").mkdir(exist_ok=True)
    for old in (folder / "files").iterdir():
        old.unlink()
    for file in files:
        (folder / "files" / file.name).write_bytes(file.content)
        page = page.replace(file.permalink, f"files/{file.name}")
    (folder / "channel.html").write_text(page, encoding="utf-8")
    return len(files)
