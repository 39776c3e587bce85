"""The commands as a user runs them, each in a process of its own."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from rich.console import Console

from devstack.__main__ import main
from devstack.local_app import Handlers
from devstack.stack import run_stack
from devstack.story.api_client import ApiClient
from devstack.story.narrator import FAILED, Narrator, StoryError
from devstack.story.scenes import Story
from devstack.story.snooze_scenes import SnoozeScenes

pytestmark = pytest.mark.enable_socket

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "devstack" / "samples"
NODE = "i-0a1b2c3d4e5f60004"


def devstack(*arguments: str, cwd: Path, stdin: bytes = b"") -> tuple[int, str, str]:
    """Run a command to its end; returns exit code, output, errors."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "devstack", *arguments],
        cwd=cwd,
        env=environment(),
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "COLUMNS": "120"}


def test_run_plays_the_story_and_keeps_what_it_made(tmp_path: Path) -> None:
    code, output, errors = devstack("run", cwd=tmp_path)
    assert (code, errors) == (0, "")
    for line in (
        "38 new non-compliant findings",
        "No new non-compliant findings",
        "12 new non-compliant findings",
        "11 new non-compliant findings",
        "4 findings still fail after their snooze",
        "snoozed by oncall",
        "In Slack: nothing",
        "Monthly report: 50 non-compliant findings",
        "All counts are as they should be",
    ):
        assert line in output
    kept = sorted(path.name for path in (tmp_path / "build" / "devstack").iterdir())
    assert kept == ["channel.html", "first-alert.csv", "lambda.log", "monthly.csv"]


def test_a_wrong_count_ends_the_story(tmp_path: Path) -> None:
    with run_stack() as running:
        handlers = Handlers(running.env, io.StringIO())
        console = Console(file=io.StringIO())
        wrong = FAILED | {"ubuntu-good": 5}
        telling = Narrator(running, handlers, console, tmp_path, failed=wrong)
        api = ApiClient("http://127.0.0.1:9", "eis_not_needed")
        story = Story(telling, SnoozeScenes(telling, api, "oncall"))
        with pytest.raises(StoryError, match="failed results of ubuntu-good: expected 5, saw 4"):
            story.play()


def test_a_taken_port_is_an_error_for_people(
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
def test_without_a_running_stack_a_command_says_how_to_start_one(
    command: str, tmp_path: Path
) -> None:
    code, _, errors = devstack(command, cwd=tmp_path)
    assert code == 1
    assert "Start one in another terminal: make up" in errors


@contextmanager
def up(cwd: Path) -> Iterator[dict[str, str]]:
    """Keep a stack running; yields what it announces to the other commands."""
    state = cwd / "build" / "devstack" / "running.json"
    with (cwd / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "devstack", "up"],
            cwd=cwd,
            env=environment(),
            stdout=log,
            stderr=log,
        )
        try:
            deadline = time.monotonic() + 60
            while b"Ctrl-C ends it" not in (cwd / "up.log").read_bytes():
                assert process.poll() is None, (cwd / "up.log").read_text()
                assert time.monotonic() < deadline, (cwd / "up.log").read_text()
                time.sleep(0.05)
            yield json.loads(state.read_bytes())
        finally:
            process.send_signal(2)
            process.wait(timeout=20)
    assert process.returncode == 0
    assert not state.exists()


def test_the_commands_work_on_a_stack_that_is_kept_up(tmp_path: Path) -> None:
    with up(tmp_path) as running:
        sample = str(SAMPLES / "ubuntu-good.json")
        code, output, errors = devstack("load", sample, "--instance", NODE, cwd=tmp_path)
        assert (code, errors) == (0, "")
        assert f"{NODE}: 44 compliance items, 4 non-compliant" in output
        code, output, errors = devstack("scan", cwd=tmp_path)
        assert code == 0, errors
        assert '"findings_fixed": 12' in output
        code, output, errors = devstack("reconcile", "--full", cwd=tmp_path)
        assert code == 0, errors
        assert '"nodes_changed": 4' in output
        code, output, errors = devstack("monthly", cwd=tmp_path)
        assert code == 0, errors
        code, output, errors = devstack("channel", cwd=tmp_path)
        assert (code, errors) == (0, "")
        for line in (
            "38 new non-compliant findings",
            "No new non-compliant findings",
            "Monthly report: 26 non-compliant findings",
        ):
            assert line in output
        with urlopen(running["page_url"], timeout=10) as page:  # noqa: S310 - our own stand-in
            assert b"Monthly report: 26" in page.read()


def test_a_report_that_cannot_be_loaded_is_refused_with_the_reason(tmp_path: Path) -> None:
    with up(tmp_path):
        for content, reason in (
            (b"{", "JSON"),
            (b'{"controls": [], "statistics": {}, "version": "5"}', "json-min"),
        ):
            code, _, errors = devstack("load", "-", "--instance", NODE, cwd=tmp_path, stdin=content)
            assert code == 1
            assert reason in errors
        code, _, errors = devstack(
            "load", str(SAMPLES / "nasty.json"), "--instance", "web-1", cwd=tmp_path
        )
        assert (code, "is no instance id" in errors) == (1, True)
        code, _, errors = devstack("load", "absent.json", "--instance", NODE, cwd=tmp_path)
        assert (code, "absent.json" in errors) == (1, True)
