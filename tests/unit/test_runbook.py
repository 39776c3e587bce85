"""What the runbook tells people to type exists, and what it lets Slack allow is what we use."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from chalicelib.adapters.slack import codes
from ops.__main__ import build_parser

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
# `make run` in a sentence, or at the beginning of a line to type
COMMAND = re.compile(r"(?:`|^ *)make ([a-z][a-z-]*)(?=`| +#| [A-Z]+=|$)", re.MULTILINE)
SCOPE = re.compile(r"\b(?:chat|files|channels|groups|im|users|reactions):\w+")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_target_that_is_named_is_in_the_makefile(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(COMMAND.findall(document.read_text()))
    assert named - targets == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_module_that_is_to_be_run_exists(document: Path) -> None:
    named = re.findall(r"python -m ((?:ops|devstack|bench)[\w.]*)", document.read_text())
    missing = {name for name in named if importlib.util.find_spec(name) is None}
    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_operator_s_verb_that_is_named_exists(document: Path) -> None:
    usage = build_parser().format_usage()
    for verb in re.findall(r"python -m ops ([a-z][a-z-]*)", document.read_text()):
        assert verb in usage, verb


def test_the_slack_app_asks_for_the_scopes_that_are_used_and_no_other() -> None:
    manifest = yaml.safe_load((ROOT / "docs" / "slack-app.yaml").read_text())
    asked = manifest["oauth_config"]["scopes"]
    assert asked.keys() == {"bot"}
    assert set(asked["bot"]) == set(SCOPE.findall(codes.MEND["missing_scope"]))
