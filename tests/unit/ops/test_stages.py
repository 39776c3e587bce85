import json
from pathlib import Path
from typing import Any

import pytest

from ops.console import CommandError
from ops.stages import list_policy_files, read_architecture, read_stage, write_settings

SETTING = "API_TOKENS_PARAMETER"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_stage_of_this_checkout_names_its_token_parameter(stage: str) -> None:
    assert read_stage(stage).require_setting(SETTING) == f"/ec2-inspec-scan/{stage}/api-tokens"


def config(folder: Path, content: Any) -> Path:
    path = folder / "config.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def stage_with(value: str) -> dict[str, Any]:
    return {"environment_variables": {SETTING: value}}


def test_settings_of_a_stage_override_those_of_all_stages(tmp_path: Path) -> None:
    both = {**stage_with("/all"), "stages": {"dev": {}, "prod": stage_with("/prod")}}
    path = config(tmp_path, both)
    assert read_stage("dev", path).require_setting(SETTING) == "/all"
    assert read_stage("prod", path).require_setting(SETTING) == "/prod"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is not valid JSON"),
        ({"version": "2.0"}, "has no stage dev, only none"),
        ({"stages": {"prod": {}, "test": {}}}, "has no stage dev, only prod, test"),
        ({"stages": {"dev": {}}}, "is not set for the stage dev"),
        ({"stages": {"dev": stage_with(" ")}}, "is not set for the stage dev"),
        ({"stages": {"dev": stage_with("/CHANGE-ME")}}, "is not set for the stage dev"),
    ],
)
def test_a_configuration_without_the_parameter_is_refused(
    tmp_path: Path, content: Any, problem: str
) -> None:
    path = config(tmp_path, content)
    with pytest.raises(CommandError, match=problem):
        read_stage("dev", path).require_setting(SETTING)


def test_a_missing_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is missing"):
        read_stage("dev", tmp_path / "absent.json")


def test_writing_settings_changes_nothing_else(tmp_path: Path) -> None:
    before = {"version": "2.0", "stages": {"prod": stage_with("/p"), "dev": stage_with("/d")}}
    path = config(tmp_path, before)
    assert write_settings("dev", {"SLACK_CHANNEL": "C0", SETTING: "/d"}, path) == ["SLACK_CHANNEL"]
    after = json.loads(path.read_text())
    assert list(after["stages"]) == ["prod", "dev"]
    assert after["stages"]["prod"] == stage_with("/p")
    assert after["stages"]["dev"]["environment_variables"] == {
        SETTING: "/d",
        "SLACK_CHANNEL": "C0",
    }


def test_writing_the_same_settings_leaves_the_file_unchanged(tmp_path: Path) -> None:
    path = config(tmp_path, {"stages": {"dev": stage_with("/d")}})
    text = path.read_text()
    assert write_settings("dev", {SETTING: "/d"}, path) == []
    assert path.read_text() == text


def test_this_checkout_has_the_layout_that_deploy_writes() -> None:
    """A deployment then changes only the lines of its values."""
    path = Path(__file__).parents[3] / ".chalice" / "config.json"
    read = json.loads(path.read_text())
    assert path.read_text() == f"{json.dumps(read, indent=2)}\n"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_function_of_this_checkout_has_a_policy_file(stage: str) -> None:
    files = list_policy_files(stage)
    assert len(files) == 5
    assert all(file.exists() for file in files)


def test_the_architecture_defaults_to_the_one_of_chalice(tmp_path: Path) -> None:
    stages = {"dev": {"lambda_architecture": "arm64"}, "prod": {}}
    path = config(tmp_path, {"stages": stages})

    assert [read_architecture(stage, path) for stage in stages] == ["arm64", "x86_64"]
