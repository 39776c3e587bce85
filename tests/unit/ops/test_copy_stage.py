"""A stage is copied to a new name, and shares nothing with the first."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from ops.console import CommandError
from ops.copy_stage import copy_stage
from ops.stages import ROOT, list_policy_files, read_stage

POLICIES = ("ec2-inspec-scan", "monthly-alert", "reconcile", "authorizer", "api_handler")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the configuration, with a stage prod that was deployed."""
    shutil.copytree(ROOT / ".chalice", tmp_path / ".chalice")
    (tmp_path / "infra").mkdir()
    shutil.copy(ROOT / "infra" / "parameters.json", tmp_path / "infra")
    config = read_config(tmp_path)
    env = config["stages"]["prod"]["environment_variables"]
    env |= {"ACCOUNT_ID": "210987654321", "REGION": "eu-west-1", "SLACK_CHANNEL": "C0PROD"}
    env["REPORTS_BUCKET"] = "ec2-inspec-scan-prod-reports-210987654321-eu-west-1"
    env["TIMEZONE"] = "Europe/Berlin"
    (tmp_path / ".chalice" / "config.json").write_text(f"{json.dumps(config, indent=2)}\n")
    return tmp_path


def read_config(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / ".chalice" / "config.json").read_text())
    return content


def read_all(root: Path) -> dict[str, str]:
    return {str(each): each.read_text(errors="replace") for each in root.rglob("*.json")}


def test_the_copy_has_names_of_its_own_and_no_home(root: Path) -> None:
    before = read_config(root)

    said = copy_stage("prod", "prod-b", root)

    config = root / ".chalice" / "config.json"
    stage = read_stage("prod-b", config)
    assert stage.env == {
        "STAGE": "prod-b",
        "FINDINGS_TABLE": "ec2-inspec-scan-prod-b-findings",
        "NODES_TABLE": "ec2-inspec-scan-prod-b-nodes",
        "LEDGER_TABLE": "ec2-inspec-scan-prod-b-ledger",
        "REPORTS_BUCKET": "ec2-inspec-scan-prod-b-reports-CHANGE-ME",
        "SLACK_CHANNEL": "CHANGE-ME",
        "SLACK_TOKEN_PARAMETER": "/ec2-inspec-scan/prod-b/slack-token",
        "API_TOKENS_PARAMETER": "/ec2-inspec-scan/prod-b/api-tokens",
        "TIMEZONE": "Europe/Berlin",
    }
    assert stage.homes == ()
    after = read_config(root)
    assert after["stages"]["prod-b"]["tags"] == {"app": "ec2-inspec-scan", "stage": "prod-b"}
    assert {**after["stages"], "prod-b": None} == {**before["stages"], "prod-b": None}
    parameters = json.loads((root / "infra" / "parameters.json").read_text())
    assert parameters["prod-b"] == parameters["prod"]
    assert "make deploy STAGE=prod-b" in said
    assert "/ec2-inspec-scan/prod-b/slack-token" in said


def test_the_policies_of_the_copy_name_nothing_of_the_first(root: Path) -> None:
    copy_stage("prod", "prod-b", root)

    files = list_policy_files("prod-b", root / ".chalice" / "config.json")
    assert {each.name for each in files} == {f"policy-prod-b-{each}.json" for each in POLICIES}
    for file in files:
        text = file.read_text()
        assert not re.search(r"ec2-inspec-scan[-/]prod(?!-b[-/:])", text), file.name
        first = file.with_name(file.name.replace("prod-b", "prod")).read_text()
        assert text.replace("prod-b", "prod") == first


def test_a_copy_can_be_copied_and_the_first_is_as_it_was(root: Path) -> None:
    before = read_all(root)
    copy_stage("prod", "prod-b", root)
    copy_stage("prod-b", "c", root)
    copy_stage("prod", "d", root)

    after = read_all(root)
    policies = {name for name in before if "policy-" in name}
    assert {name: after[name] for name in policies} == {name: before[name] for name in policies}
    for name in ("c", "d"):
        stage = read_stage(name, root / ".chalice" / "config.json")
        assert stage.env["LEDGER_TABLE"] == f"ec2-inspec-scan-{name}-ledger"
        assert not any("prod" in text for path, text in after.items() if f"policy-{name}-" in path)


def test_a_value_that_only_reads_like_the_stage_stays(root: Path) -> None:
    file = root / "infra" / "parameters.json"
    parameters = json.loads(file.read_text())
    parameters["prod"]["data"] |= {"AssociationTagValue": "prod", "GitHubBranch": "prod"}
    parameters["prod"]["data"]["S3Url"] = "s3://ec2-inspec-scan-prod"
    file.write_text(json.dumps(parameters))

    copy_stage("prod", "b", root)

    copied = json.loads(file.read_text())["b"]["data"]
    assert (copied["AssociationTagValue"], copied["GitHubBranch"]) == ("prod", "prod")
    assert copied["S3Url"] == "s3://ec2-inspec-scan-b"


@pytest.mark.parametrize(
    ("source", "name", "problem"),
    [
        ("absent", "b", "has no stage absent, only dev, prod"),
        ("prod", "dev", "config.json already has a stage dev"),
        ("prod", "prod", "config.json already has a stage prod"),
        ("prod", "Prod-B", "is not a valid stage name"),
        ("prod", "production-b", "is not a valid stage name"),
        ("prod", "", "is not a valid stage name"),
        ("prod", "../x", "is not a valid stage name"),
    ],
)
def test_a_wrong_name_writes_nothing(root: Path, source: str, name: str, problem: str) -> None:
    before = read_all(root)

    with pytest.raises(CommandError, match=problem) as refused:
        copy_stage(source, name, root)

    assert "\n" not in str(refused.value)
    assert read_all(root) == before


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda root: (root / ".chalice" / "policy-b-reconcile.json").write_text("{}"), "exists"),
        (lambda root: (root / ".chalice" / "policy-prod-reconcile.json").unlink(), "is missing"),
        (lambda root: (root / "infra" / "parameters.json").write_text("{"), "cannot be read"),
        (
            lambda root: (root / "infra" / "parameters.json").write_bytes(b'{"\xff": 1}'),
            "cannot be read",
        ),
        (lambda root: (root / "infra" / "parameters.json").write_text("{}"), "has no stage prod"),
        (
            lambda root: (root / "infra" / "parameters.json").write_text('{"prod": {}, "b": {}}'),
            "parameters.json already has a stage b",
        ),
    ],
)
def test_a_file_in_the_way_or_a_broken_one_is_named(root: Path, damage: Any, problem: str) -> None:
    damage(root)
    before = read_all(root)

    with pytest.raises(CommandError, match=problem):
        copy_stage("prod", "b", root)

    assert read_all(root) == before
