"""What holds for every template of infra/."""

import re
from pathlib import Path

import pytest
from cfnlint.api import lint_file

from tests.unit.infra.cloudformation import TEMPLATES, Template

# A name, or what a name is made of, of anything that AWS knows by name.
NAMES = ("TableName", "BucketName", "LogGroupName", "QueueName", "TopicName", "AlarmName")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_the_linter_has_nothing_to_say(path: Path) -> None:
    assert [str(match) for match in lint_file(path)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_what_a_stage_may_be_called_is_the_same_everywhere(path: Path) -> None:
    template = Template(path.stem).template
    assert template["Parameters"]["Stage"] == Template("data").template["Parameters"]["Stage"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_what_is_made_without_parameters_is_not_refused(path: Path) -> None:
    assert Template(path.stem).refused() == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_names_of_stages_do_not_meet(path: Path) -> None:
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
def test_a_stage_that_does_not_fit_into_names_is_refused(path: Path, stage: str) -> None:
    (reason,) = Template(path.stem, Stage=stage).refused()
    assert "10 lower-case letters" in reason


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_parameter_says_what_it_takes(path: Path) -> None:
    for name, declared in Template(path.stem).template["Parameters"].items():
        assert re.search(r"\w.*\.$", declared["Description"]), name
        described = "AllowedValues" in declared or "ConstraintDescription" in declared
        assert described, name
