"""The rules that every template in infra/ follows."""

import re
from pathlib import Path

import pytest
from cfnlint.api import lint_file

from tests.unit.infra.cloudformation import TEMPLATES, Template

# Properties that name a resource.
NAMES = ("TableName", "BucketName", "LogGroupName", "QueueName", "TopicName", "AlarmName")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_linter_finds_nothing(path: Path) -> None:
    assert [str(match) for match in lint_file(path)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_has_the_same_rule_for_stage_names(path: Path) -> None:
    template = Template(path.stem).template
    assert template["Parameters"]["Stage"] == Template("data").template["Parameters"]["Stage"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_default_parameters_are_accepted(path: Path) -> None:
    assert Template(path.stem).refused() == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_resource_name_contains_the_stage(path: Path) -> None:
    made = Template(path.stem, Stage="other").resources().values()
    names = [
        value
        for resource in made
        for key, value in resource["Properties"].items()
        if key in (*NAMES, "AssociationName", "DashboardName")
    ]
    assert names
    assert [name for name in names if "ec2-inspec-scan-other" not in name] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
@pytest.mark.parametrize("stage", ["", "Prod", "1st", "eleven-long", "a b", 'a"b', "a/b"])
def test_an_invalid_stage_name_is_refused(path: Path, stage: str) -> None:
    (reason,) = Template(path.stem, Stage=stage).refused()
    assert "10 lower-case letters" in reason


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_parameter_describes_its_values(path: Path) -> None:
    for name, declared in Template(path.stem).template["Parameters"].items():
        assert re.search(r"\w.*\.$", declared["Description"]), name
        described = "AllowedValues" in declared or "ConstraintDescription" in declared
        assert described, name
