"""Read infra/data.yaml, the one source of tables and names, without CloudFormation."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import yaml

DATA_TEMPLATE = Path(__file__).parents[2] / "infra" / "data.yaml"


class _Sub(Template):
    """The `${Name}` of `Fn::Sub`, pseudo parameters like `${AWS::Region}` included."""

    idpattern = r"[A-Za-z0-9:.]+"


class _ShortForms(yaml.SafeLoader):
    """YAML in which `!Sub value` stands for `{"Fn::Sub": value}`, and `!Ref` for `{"Ref": …}`."""


def _long_form(
    loader: _ShortForms, suffix: str, node: yaml.ScalarNode | yaml.SequenceNode
) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)
    return {suffix if suffix == "Ref" else f"Fn::{suffix}": value}


_ShortForms.add_multi_constructor("!", _long_form)


@cache
def _resources() -> Mapping[str, Any]:
    with DATA_TEMPLATE.open(encoding="utf-8") as source:
        template = yaml.load(source, _ShortForms)  # noqa: S506 - derives from SafeLoader
    resources: Mapping[str, Any] = template["Resources"]
    return resources


def properties(logical_id: str) -> Mapping[str, Any]:
    """Return the `Properties` of one resource, intrinsic functions in their long form."""
    found: Mapping[str, Any] = _resources()[logical_id]["Properties"]
    return found


def substituted(value: Mapping[str, str], names: Mapping[str, str]) -> str:
    """Return the text of `{"Fn::Sub": text}` with `names` put in; KeyError for one missing."""
    return _Sub(value["Fn::Sub"]).substitute(names)
