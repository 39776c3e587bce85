"""Runs the profile on a made-up host by recorder.rb."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tests.profile.hosts import Host

PROFILE = Path(__file__).parents[2] / "inspec"
RECORDER = Path(__file__).with_name("recorder.rb")
CONTROLS = sorted((PROFILE / "controls").glob("*.rb"))
# Seconds.
TIMEOUT = 60
RUBY = shutil.which("ruby")
MISSING = "ruby is not installed: apt-get install ruby rubocop"


def read_inputs() -> dict[str, Any]:
    """Return the inputs of inspec.yml with their defaults."""
    declared = yaml.safe_load((PROFILE / "inspec.yml").read_text())["inputs"]
    return {each["name"]: each["value"] for each in declared}


def record_controls(host: Host, **changed: Any) -> list[dict[str, Any]]:
    """Return what each control declares and finds on the host. `changed` overrides inputs."""
    with tempfile.TemporaryDirectory() as folder:
        facts, values = Path(folder) / "host.json", Path(folder) / "inputs.json"
        facts.write_text(json.dumps(host))
        values.write_text(json.dumps(read_inputs() | changed))
        ran = run_ruby(str(RECORDER), str(facts), str(values), *map(str, CONTROLS))
    assert ran.returncode == 0, ran.stderr
    # Standard output may contain only the report: one stray line loses it.
    (line,) = ran.stdout.splitlines()
    controls: list[dict[str, Any]] = json.loads(line)
    return controls


def run_ruby(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run ruby with warnings."""
    assert RUBY is not None, MISSING
    return subprocess.run(  # noqa: S603 - our own program and arguments
        [RUBY, "-w", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )


def find_failed(controls: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the failed expectations by control. Controls without failures are left out."""
    found = {
        each["id"]: [result["code_desc"] for result in each["results"] if result["passed"] is False]
        for each in controls
    }
    return {name: results for name, results in found.items() if results}


def find_skipped(controls: list[dict[str, Any]]) -> dict[str, str]:
    """Return the reasons of the skipped controls."""
    return {each["id"]: each["skip"] for each in controls if each["skip"] is not None}
