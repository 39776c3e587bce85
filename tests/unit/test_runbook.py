"""The commands that the documents name exist, and the Slack app requests what is used."""

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
def test_every_named_make_target_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(COMMAND.findall(document.read_text()))

    assert named - targets == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_module_of_a_command_exists(document: Path) -> None:
    named = re.findall(r"python -m ((?:ops|devstack|bench)[\w.]*)", document.read_text())
    missing = {name for name in named if importlib.util.find_spec(name) is None}

    assert missing == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_named_verb_of_ops_exists(document: Path) -> None:
    usage = build_parser().format_usage()

    for verb in re.findall(r"python -m ops ([a-z][a-z-]*)", document.read_text()):
        assert verb in usage, verb


def test_the_slack_app_requests_exactly_the_scopes_that_are_used() -> None:
    manifest = yaml.safe_load((ROOT / "docs" / "slack-app.yaml").read_text())
    requested = manifest["oauth_config"]["scopes"]

    assert requested.keys() == {"bot"}
    assert set(requested["bot"]) == set(SCOPE.findall(codes.MEND["missing_scope"]))
