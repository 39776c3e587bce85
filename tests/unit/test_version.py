"""The version is the same everywhere."""

import re
import tomllib
from pathlib import Path

import chalicelib
from chalicelib.entrypoints.api import openapi

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def test_the_service_has_the_version_of_the_project() -> None:
    assert chalicelib.__version__ == VERSION


def test_the_openapi_document_has_the_version_of_the_project() -> None:
    assert openapi.build_specification()["info"]["version"] == VERSION


def test_the_readme_names_no_other_version() -> None:
    named = re.findall(r"[Vv]ersion (\d+\.\d+\.\d+)", (ROOT / "README.md").read_text())

    assert set(named) <= {VERSION}


def test_the_changelog_describes_the_version_as_released_or_as_the_next_one() -> None:
    sections = re.split(r"^## \[(.+?)\].*$", CHANGELOG, flags=re.MULTILINE)[1:]
    text = dict(zip(sections[::2], sections[1::2], strict=True))

    assert VERSION in text or VERSION in text["Unreleased"]
    assert all(re.search(r"^- ", each, re.MULTILINE) for each in text.values())
