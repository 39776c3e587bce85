"""The commands of devstack as a user runs them, each in its own process."""

import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from rich.console import Console
from slack_sdk import WebClient

from devstack.__main__ import main
from devstack.local_app import Handlers
from devstack.stack import run_stack
from devstack.story.api_client import ApiClient
from devstack.story.narrator import FAILED, Narrator, StoryError
from devstack.story.play import save_channel
from devstack.story.scenes import Story
from devstack.story.snooze_scenes import SnoozeScenes

pytestmark = pytest.mark.enable_socket

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "devstack" / "samples"
NODE = "i-0a1b2c3d4e5f60004"


def run_devstack(*arguments: str, cwd: Path, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run a command. Returns its exit code, its output and its errors."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "devstack", *arguments],
        cwd=cwd,
        env=build_env(),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def build_env() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "120"}


def test_run_plays_the_story_and_saves_its_channel_and_logs(tmp_path: Path) -> None:
    code, output, errors = run_devstack("run", cwd=tmp_path)
    assert (code, errors) == (0, "")
    for line in (
        "38 new non-compliant findings",
        "No new non-compliant findings",
        "12 new non-compliant findings",
        "11 new non-compliant findings",
        "4 findings still fail after their snooze ended",
        "snoozed by oncall",
        "In Slack: nothing new",
        "Monthly report: 50 non-compliant findings",
        "ec2-inspec-scan: new 12 · fixed 12 · open 38",
        "All 64 checks passed",
    ):
        assert line in output
    folder = tmp_path / "build" / "devstack"
    assert sorted(each.name for each in folder.iterdir()) == ["channel.html", "files", "lambda.log"]


def test_the_links_of_the_saved_page_work_without_the_stack(tmp_path: Path) -> None:
    with run_stack() as running:
        client = WebClient("xoxb-devstack", base_url=running.slack.base_url)
        client.files_upload_v2(channel="C0DEVSTACK", filename="new.csv", content="a,b\n")
        assert save_channel(running.slack, tmp_path) == 1
    links = re.findall(r'href="([^"]+)"', (tmp_path / "channel.html").read_text())
    assert [(tmp_path / link).read_text() for link in links] == ["a,b\n"]


def test_a_wrong_count_stops_the_story() -> None:
    with run_stack() as running:
        handlers = Handlers(running.env, io.StringIO())
        console = Console(file=io.StringIO())
        wrong = FAILED | {"ubuntu-good": 5}
        narrator = Narrator(running, handlers, console, failed=wrong)
        api = ApiClient("http://127.0.0.1:9", "eis_not_needed", console)
        story = Story(narrator, SnoozeScenes(narrator, api, "oncall"))
        with pytest.raises(StoryError, match="failed results of ubuntu-good: expected 5, saw 4"):
            story.play()


def test_a_taken_port_is_reported_without_a_traceback(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with run_stack() as running:
        port = running.aws.url.rsplit(":", 1)[1]
        assert main(["run", "--aws-port", port]) == 1
        slack_port = running.slack.page_url.rsplit(":", 1)[1].strip("/")
        assert main(["run", "--slack-port", slack_port]) == 1
    errors = capsys.readouterr().err
    assert errors.count("run failed: ") == 2
    assert "Address already in use" in errors


@pytest.mark.parametrize("command", ["scan", "monthly", "reconcile", "channel"])
def test_a_command_without_a_running_stack_explains_how_to_start_one(
    command: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    assert main([command]) == 1
    assert "Start one in another terminal: make up" in capsys.readouterr().err


@contextmanager
def run_up(cwd: Path) -> Iterator[dict[str, str]]:
    """Keep a stack running. Yields the file by which other commands find it."""
    state = cwd / "build" / "devstack" / "running.json"
    with (cwd / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "devstack", "up"],
            cwd=cwd,
            env=build_env(),
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + 60
            while b"Ctrl-C stops it" not in (cwd / "up.log").read_bytes():
                assert process.poll() is None, (cwd / "up.log").read_text()
                assert time.monotonic() < deadline, (cwd / "up.log").read_text()
                time.sleep(0.05)
            yield json.loads(state.read_bytes())
        finally:
            process.send_signal(2)
            process.wait(timeout=20)
    assert process.returncode == 0
    assert not state.exists()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a running stack and of its commands."""
    return tmp_path_factory.mktemp("up")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[dict[str, str]]:
    with run_up(folder) as state:
        yield state


@pytest.mark.usefixtures("running")
def test_an_unusable_report_is_refused_with_a_reason(folder: Path) -> None:
    for content, reason in (
        (b"{", "JSON"),
        (b'{"controls": [], "statistics": {}, "version": "5"}', "json-min"),
        (b'{"name": "base", "supports": [], "controls": []}', "exported profile"),
        ((SAMPLES / "nasty.json").read_bytes(), "--cut-titles"),
    ):
        code, _, errors = run_devstack("load", "-", "--instance", NODE, cwd=folder, stdin=content)
        assert code == 1
        assert reason in errors
    code, _, errors = run_devstack(
        "load", str(SAMPLES / "nasty.json"), "--instance", "web-1", cwd=folder
    )
    assert (code, "is not an instance id" in errors) == (1, True)
    code, _, errors = run_devstack("load", "absent.json", "--instance", NODE, cwd=folder)
    assert (code, "absent.json" in errors) == (1, True)


def test_the_commands_work_on_a_running_stack(running: dict[str, str], folder: Path) -> None:
    sample = str(SAMPLES / "ubuntu-good.json")
    code, output, errors = run_devstack("load", sample, "--instance", NODE, cwd=folder)
    assert (code, errors) == (0, "")
    assert f"{NODE}: 44 compliance items, 4 non-compliant" in output
    code, output, errors = run_devstack("scan", cwd=folder)
    assert code == 0, errors
    assert '"findings_fixed": 12' in output
    code, output, errors = run_devstack("reconcile", "--full", cwd=folder)
    assert code == 0, errors
    assert '"nodes_changed": 4' in output
    code, output, errors = run_devstack("monthly", cwd=folder)
    assert code == 0, errors
    code, output, errors = run_devstack("channel", cwd=folder)
    assert (code, errors) == (0, "")
    for line in (
        "38 new non-compliant findings",
        "Monthly report: 26 non-compliant findings",
    ):
        assert line in output
    with urlopen(running["page_url"], timeout=10) as page:  # noqa: S310 - our own stand-in
        assert b"Monthly report: 26" in page.read()
