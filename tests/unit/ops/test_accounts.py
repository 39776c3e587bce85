"""A command works only in the account and region of its stage."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from moto import mock_aws

from ops.aws import find_account
from ops.console import CommandError
from ops.stages import Home, Stage

HERE = ("123456789012", "us-east-1")
THERE = ("210987654321", "eu-west-1")


@dataclass(frozen=True)
class RecordedStage(Stage):
    """A stage whose record is a file of the test."""

    file: Path = Path("missing")

    @property
    def record(self) -> Path:
        """The file of the test."""
        return self.file


def make_stage(
    folder: Path, settings: tuple[str, str] | None, recorded: tuple[str, str] | None
) -> Stage:
    env = dict(zip(("ACCOUNT_ID", "REGION"), settings, strict=True)) if settings else {}
    file = folder / "prod.json"
    if recorded:
        account, region = recorded
        arn = f"arn:aws:lambda:{region}:{account}:function:ec2-inspec-scan-prod-reconcile"
        resources = [
            {"name": "reconcile", "lambda_arn": arn},
            {"name": "rest_api", "rest_api_id": "a1"},
        ]
        file.write_text(json.dumps({"resources": resources * 2}))
    return RecordedStage("prod", env, file)


@pytest.mark.parametrize("settings", [None, HERE])
@pytest.mark.parametrize("recorded", [None, HERE])
@mock_aws
def test_the_own_account_is_found(
    tmp_path: Path, settings: tuple[str, str] | None, recorded: tuple[str, str] | None
) -> None:
    account = find_account(make_stage(tmp_path, settings, recorded))

    assert (account.id, account.region) == HERE


@pytest.mark.parametrize(
    ("settings", "recorded", "file"),
    [
        (THERE, None, ".chalice/config.json"),
        (None, THERE, "prod.json"),
        (HERE, THERE, "prod.json"),
        (THERE, HERE, ".chalice/config.json"),
        ((HERE[0], THERE[1]), None, ".chalice/config.json"),
        ((THERE[0], HERE[1]), None, ".chalice/config.json"),
    ],
)
@mock_aws
def test_another_account_or_region_is_refused_in_one_line(
    tmp_path: Path,
    settings: tuple[str, str] | None,
    recorded: tuple[str, str] | None,
    file: str,
) -> None:
    stage = make_stage(tmp_path, settings, recorded)

    with pytest.raises(CommandError) as refused:
        find_account(stage)

    wrong = next(each for each in (settings, recorded) if each not in (None, HERE))
    assert wrong is not None
    text = str(refused.value)
    assert text.startswith(f"stage prod is of account {wrong[0]} in {wrong[1]} (")
    assert file in text
    assert f"you are in {HERE[0]} in {HERE[1]}" in text
    assert text.endswith("python -m ops stage copy prod NAME")
    assert "\n" not in text


def test_a_home_is_named_once_for_each_file(tmp_path: Path) -> None:
    stage = make_stage(tmp_path, HERE, HERE)

    assert stage.homes == (
        Home(*HERE, ".chalice/config.json"),
        Home(*HERE, f"{tmp_path.name}/prod.json"),
    )
