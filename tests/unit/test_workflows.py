"""The files around the code: workflows, pre-commit, Dependabot, forms, requirement lists."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(each for each in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if each.stem != "config")
TYPES = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
# The one job that may write: it creates the release.
WRITERS = {("release", "publish"): {"contents": "write"}}


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    return content


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def list_steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job.get("steps", ())]


def read_recipe(target: str) -> str:
    """Return the lines that the Makefile runs for a target."""
    makefile = (ROOT / "Makefile").read_text()
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert found
    return found[1]


def test_there_are_three_workflows() -> None:
    assert [path.stem for path in WORKFLOWS] == ["audit", "release", "test"]


def test_every_action_is_pinned_by_its_commit(workflow: dict[str, Any]) -> None:
    used = [step["uses"] for step in list_steps(workflow) if "uses" in step]
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", each)] == []


def test_a_workflow_that_is_called_is_one_of_ours(workflow: dict[str, Any]) -> None:
    called = [job["uses"] for job in workflow["jobs"].values() if "uses" in job]
    assert all((ROOT / each).is_file() for each in called)


def test_a_workflow_may_only_read(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    rights = {
        (workflow["name"], name): job["permissions"]
        for name, job in workflow["jobs"].items()
        if "permissions" in job
    }
    assert rights == {key: WRITERS[key] for key in WRITERS if key[0] == workflow["name"]}
    checkouts = [step for step in list_steps(workflow) if "checkout" in step.get("uses", "")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False]


def test_every_job_has_a_time_limit(workflow: dict[str, Any]) -> None:
    own = [job for job in workflow["jobs"].values() if "uses" not in job]
    assert all(job["timeout-minutes"] <= 30 for job in own)


def test_every_installed_package_is_pinned_with_hashes(workflow: dict[str, Any]) -> None:
    installs = [
        step["run"] for step in list_steps(workflow) if "pip install" in step.get("run", "")
    ]
    assert all("--require-hashes" in each for each in installs)


def test_every_requirement_list_that_a_workflow_names_exists(workflow: dict[str, Any]) -> None:
    runs = " ".join(step.get("run", "") for step in list_steps(workflow))
    lists = re.findall(r"--requirement (\S+)", runs)
    assert [each for each in lists if not (ROOT / each).is_file()] == []


class TestRelease:
    """The steps of the workflow, run by a shell in a made-up clone."""

    @pytest.fixture
    def clone(self, tmp_path: Path) -> Path:
        (tmp_path / "pyproject.toml").write_text('[project]\nname = "a"\nversion = "1.2.0"\n')
        (tmp_path / "CHANGELOG.md").write_text(
            "# Changelog\n\n## [Unreleased]\n\n- later\n\n"
            "## [1.2.0] - 2026-12-01\n\n### Slack\n\n- now\n\n## [1.1.0] - 2026-11-01\n\n- before\n"
        )
        return tmp_path

    def run(self, step: str, clone: Path, tag: str) -> subprocess.CompletedProcess[str]:
        (script,) = (
            each["run"]
            for each in list_steps(load(GITHUB / "workflows" / "release.yml"))
            if each.get("name") == step
        )
        return subprocess.run(  # noqa: S603 - our own workflow
            ["/bin/bash", "-e", "-c", script],
            cwd=clone,
            env={"PATH": "/usr/bin:/bin", "GITHUB_REF_NAME": tag},
            capture_output=True,
            check=False,
            text=True,
        )

    def test_only_after_the_tests(self) -> None:
        jobs = load(GITHUB / "workflows" / "release.yml")["jobs"]

        assert jobs["publish"]["needs"] == "test"
        assert jobs["test"]["uses"] == "./.github/workflows/test.yml"

    def test_the_tag_must_be_the_version(self, clone: Path) -> None:
        assert self.run("Compare the tag with the version", clone, "v1.2.0").returncode == 0

        refused = self.run("Compare the tag with the version", clone, "v1.1.0")

        assert refused.returncode == 1
        assert refused.stderr == "the tag is v1.1.0, but pyproject.toml has version 1.2.0\n"

    def test_the_notes_are_the_section_of_the_version(self, clone: Path) -> None:
        assert self.run("Copy the section of the changelog", clone, "v1.2.0").returncode == 0

        assert (clone / "notes.md").read_text().split() == ["###", "Slack", "-", "now"]

    def test_a_version_without_a_section_is_refused(self, clone: Path) -> None:
        refused = self.run("Copy the section of the changelog", clone, "v1.3.0")

        assert refused.returncode == 1
        assert refused.stderr == "CHANGELOG.md has no section 1.3.0\n"


class TestPreCommit:
    """pre-commit runs what `make check` runs first, and looks for secrets."""

    @pytest.fixture
    def commands(self) -> list[str]:
        (repository,) = load(ROOT / ".pre-commit-config.yaml")["repos"]
        assert repository["repo"] == "local"
        return [hook["entry"].removeprefix(".venv/bin/") for hook in repository["hooks"]]

    def test_the_programs_are_those_of_make_check_in_the_same_order(
        self, commands: list[str]
    ) -> None:
        recipe = read_recipe("lint") + read_recipe("secrets")

        called = re.findall(r"(?:-m |bin/)(ruff \w+|mypy|lint-imports|detect-secrets-hook)", recipe)

        assert [re.sub(r" (--|app\.py).*", "", each) for each in commands] == called

    def test_mypy_checks_the_same_code(self, commands: list[str]) -> None:
        (code,) = re.findall(r"^CODE := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

        assert f"mypy {code}" in commands
        assert all((ROOT / each).exists() for each in code.split())

    def test_make_check_begins_with_them(self) -> None:
        assert re.search(r"^check: lint ", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert re.search(
            r"^test: setup lint secrets ", (ROOT / "Makefile").read_text(), re.MULTILINE
        )


def test_dependabot_looks_where_there_is_something_to_update() -> None:
    updates = load(GITHUB / "dependabot.yml")["updates"]

    found = {
        (each["package-ecosystem"], folder)
        for each in updates
        for folder in each.get("directories", [each.get("directory")])
    }

    assert found == {
        ("pip", "/"),
        ("pip", "/requirements"),
        ("npm", "/"),
        ("github-actions", "/"),
    }
    assert (ROOT / "requirements.txt").is_file()
    assert list((ROOT / "requirements").glob("*.txt"))
    assert (ROOT / "package-lock.json").is_file()
    assert all(each["schedule"] == {"interval": "weekly"} and each["groups"] for each in updates)


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_a_form_for_issues_is_complete(form: Path) -> None:
    content = load(form)

    assert content["name"]
    assert content["description"]
    fields = [each for each in content["body"] if each["type"] != "markdown"]
    assert {each["type"] for each in content["body"]} <= TYPES
    assert all(each["attributes"]["label"] for each in fields)
    assert len({each["id"] for each in fields}) == len(fields)


def test_there_is_a_form_for_bugs_and_one_for_features() -> None:
    assert [each.stem for each in FORMS] == ["bug", "feature"]
    assert load(GITHUB / "ISSUE_TEMPLATE" / "config.yml") == {"blank_issues_enabled": False}


def test_the_owner_of_the_code_is_a_team_or_the_placeholder() -> None:
    lines = (GITHUB / "CODEOWNERS").read_text().splitlines()

    rules = [each.split() for each in lines if not each.startswith("#")]

    assert rules
    assert all(re.fullmatch(r"@[\w-]+/[\w-]+", owner) for _, *owners in rules for owner in owners)


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", ".github/PULL_REQUEST_TEMPLATE.md"])
def test_every_target_that_contributors_read_about_exists(name: str) -> None:
    targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)

    named = re.findall(r"(?:`|^)make ([a-z][a-z-]*)", (ROOT / name).read_text(), re.MULTILINE)

    assert set(named) <= set(targets)


def test_make_lock_compiles_every_list() -> None:
    pinned = {each.stem for each in (ROOT / "requirements").glob("*.txt")}

    assert pinned == {each.stem for each in (ROOT / "requirements").glob("*.in")}
    assert "requirements/*.in" in read_recipe("lock")


def test_every_list_is_used() -> None:
    makefile = (ROOT / "Makefile").read_text() + (GITHUB / "workflows" / "audit.yml").read_text()

    lists = sorted((ROOT / "requirements").glob("*.txt"))

    assert [each.name for each in lists if f"requirements/{each.name}" not in makefile] == []


def test_no_list_names_a_package_index() -> None:
    lists = [ROOT / "requirements.txt", *(ROOT / "requirements").glob("*.txt")]

    assert [
        each.name for each in lists if re.search(r"://|index-url|find-links", each.read_text())
    ] == []
