"""The form of the controls, as InSpec and the readers of findings need it."""

import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.profile.hosts import build_ubuntu
from tests.profile.runner import (
    CONTROLS,
    MISSING,
    PROFILE,
    RUBY,
    read_inputs,
    record_controls,
    run_ruby,
)

pytestmark = pytest.mark.skipif(RUBY is None, reason=MISSING)
RUBOCOP = shutil.which("rubocop")

# The agreed impact of each control. Add a new control here too.
IMPACTS = {
    **{f"ec2-ssh-0{n}": impact for n, impact in enumerate((1.0, 0.7, 1.0, 0.5, 0.3, 0.7, 0.7), 1)},
    **{f"ec2-acct-0{n}": impact for n, impact in enumerate((1.0, 1.0, 0.5, 0.5), 1)},
    **{f"ec2-sudo-0{n}": impact for n, impact in enumerate((0.5, 0.3), 1)},
    **{f"ec2-audit-0{n}": impact for n, impact in enumerate((0.7, 0.5, 0.5), 1)},
    **{f"ec2-time-0{n}": impact for n, impact in enumerate((0.5, 0.3), 1)},
    **{f"ec2-kern-0{n}": impact for n, impact in enumerate((0.7, 0.5, 0.5, 0.5, 0.3), 1)},
    "ec2-net-01": 0.7,
    **{f"ec2-file-0{n}": impact for n, impact in enumerate((0.7, 0.7, 0.7, 0.7, 0.5), 1)},
    "ec2-imds-01": 1.0,
    "ec2-agent-01": 0.5,
    "ec2-update-01": 0.7,
    "ec2-update-02": 0.3,
}
# SSM stores 500 characters of "<title> : <code_desc>".
LONGEST_TITLE = 120
LONGEST_ITEM = 500


@pytest.fixture(scope="module")
def controls() -> list[dict[str, Any]]:
    return record_controls(build_ubuntu())


def test_the_controls_are_the_agreed_ones_with_their_impact(
    controls: list[dict[str, Any]],
) -> None:
    assert {each["id"]: each["impact"] for each in controls} == IMPACTS
    assert len(controls) == len(IMPACTS)


@pytest.mark.parametrize("file", CONTROLS, ids=lambda file: file.name)
def test_ids_of_controls_are_literal_strings(file: Any) -> None:
    """`inspec check` crashes on other expressions."""
    text = file.read_text()
    written = re.findall(r"^control '([\w-]+)' do$", text, re.MULTILINE)
    assert len(written) == len(re.findall(r"^\s*control\b", text, re.MULTILINE)) > 0
    assert set(written) <= IMPACTS.keys()


def test_titles_are_short_unique_sentences_without_quotes(controls: list[dict[str, Any]]) -> None:
    for control in controls:
        title = control["title"]
        assert len(title) < LONGEST_TITLE
        assert " must " in title
        assert not set(title) & set("\"',;:")
    assert len({each["title"] for each in controls}) == len(controls)


def test_every_control_has_descriptions_and_nist_tags(controls: list[dict[str, Any]]) -> None:
    for control in controls:
        assert control["descs"].keys() == {"desc", "rationale", "check", "fix"}
        assert all(control["descs"].values())
        families = control["tags"]["nist"]
        assert families
        assert all(re.fullmatch(r"[A-Z]{2}-\d+( \(\d+\))?", each) for each in families)


def test_every_control_has_a_condition_to_skip(controls: list[dict[str, Any]]) -> None:
    assert {each["only_ifs"] for each in controls} == {1}


def test_results_are_unique_and_fit_into_a_compliance_item(
    controls: list[dict[str, Any]],
) -> None:
    seen = [
        f"{control['title']} : {result['code_desc']}"
        for control in controls
        for result in control["results"]
    ]
    assert len(seen) == len(set(seen))
    assert max(map(len, seen)) < LONGEST_ITEM
    assert len(seen) < 2 * len(controls)


def test_every_input_is_used_and_has_a_default_and_a_description() -> None:
    declared = yaml.safe_load((PROFILE / "inspec.yml").read_text())["inputs"]
    for each in declared:
        assert each.keys() == {"name", "description", "type", "value"}
        assert each["value"] is not None
        assert each["description"]
    used = {name for file in CONTROLS for name in re.findall(r"input\('(\w+)'\)", file.read_text())}
    assert used == read_inputs().keys()


def test_the_changelog_begins_with_the_version_of_the_profile() -> None:
    version = yaml.safe_load((PROFILE / "inspec.yml").read_text())["version"]
    text = (PROFILE / "CHANGELOG.md").read_text()
    assert re.findall(r"^## (\S+)$", text, re.MULTILINE)[0] == version


def test_the_profile_admits_the_oldest_engine_that_was_tried() -> None:
    """An engine that the profile refuses loses the whole report."""
    assert yaml.safe_load((PROFILE / "inspec.yml").read_text())["inspec_version"] == ">= 4.18"


def test_the_profile_names_its_platforms_and_has_no_dependencies() -> None:
    profile = yaml.safe_load((PROFILE / "inspec.yml").read_text())
    platforms = {value for each in profile["supports"] for value in each.values()}
    assert platforms == {"amazon", "ubuntu", "debian", "redhat"}
    assert "depends" not in profile
    assert profile["copyright"]
    assert profile["license"] == "Apache-2.0"


@pytest.mark.parametrize("file", CONTROLS, ids=lambda file: file.name)
def test_controls_print_nothing_and_slow_commands_have_a_timeout(file: Any) -> None:
    text = file.read_text()
    assert not re.search(r"^\s*(puts|print|pp|p|warn)\b", text, re.MULTILINE)
    for line in re.findall(r"command\([\"'](.+)[\"']\)", text):
        slow = re.search(r"sshd|auditctl|dnf|yum|tool|apt-get|ss -|find / ", line)
        assert "timeout" in line or "--max-time" in line or not slow, line


@pytest.mark.parametrize("file", CONTROLS, ids=lambda file: file.name)
def test_ruby_parses_the_file_without_a_warning(file: Any) -> None:
    checked = run_ruby("-c", str(file))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "Syntax OK\n", "")


@pytest.mark.parametrize("file", CONTROLS, ids=lambda file: file.name)
def test_the_file_uses_nothing_newer_than_ruby_2_6(file: Any) -> None:
    """rubocop knows newer syntax, but not newer methods."""
    newer = r"\.(tally|filter_map|intersect|intersection|except|tally_by)\b|\b_1\b"
    assert re.findall(newer, file.read_text()) == []


@pytest.mark.skipif(RUBOCOP is None, reason="rubocop is not installed: apt-get install rubocop")
def test_rubocop_finds_no_offense() -> None:
    assert RUBOCOP is not None
    ran = subprocess.run(  # noqa: S603 - a linter on our own files
        [RUBOCOP, "--config", PROFILE / ".rubocop.yml", "--cache", "false", PROFILE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("README.md", ["CHEF_LICENSE", "CINC", "waiver", "inspec.yml", "ec2-ssh-01"]),
        ("CHANGELOG.md", ["0.1.0", "0.2.0"]),
    ],
)
def test_the_profile_is_documented(document: str, words: list[str]) -> None:
    text = (PROFILE / document).read_text()
    assert [word for word in words if word not in text] == []


def test_the_readme_names_every_control_and_input() -> None:
    text = (PROFILE / "README.md").read_text()
    assert [name for name in (*IMPACTS, *read_inputs()) if f"`{name}`" not in text] == []
