"""Evaluates a template as CloudFormation does, with the parameters that people set.

Supports the functions that infra/ uses. Any other raises KeyError.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cfnlint.decode import decode

TEMPLATES = sorted((Path(__file__).parents[3] / "infra").glob("*.yaml"))
PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Region": "eu-central-1",
    "AWS::Partition": "aws",
}


class Template:
    """A template in infra/, with functions in their long form."""

    def __init__(self, name: str, **parameters: str) -> None:
        (path,) = (each for each in TEMPLATES if each.stem == name)
        read: Any = decode(str(path))[0]
        self.template: Mapping[str, Any] = read
        self.values = {
            name: str(parameters.get(name, declared.get("Default")))
            for name, declared in read["Parameters"].items()
        }
        assert parameters.keys() <= self.values.keys()

    def refused(self) -> list[str]:
        """List why CloudFormation refuses the parameters. Empty if it accepts them."""
        wrong = [
            str(declared.get("ConstraintDescription", declared["Description"]))
            for name, declared in self.template["Parameters"].items()
            if not allows(declared, self.values[name])
        ]
        broken = [
            str(assertion["AssertDescription"])
            for rule in self.template.get("Rules", {}).values()
            if self.resolve(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self.resolve(assertion["Assert"])
        ]
        return wrong + broken

    def resources(self, kind: str = "") -> dict[str, Any]:
        """The resources that would be created, by logical id. `kind` selects one type."""
        return {
            logical_id: {**resource, "Properties": self.resolve(resource["Properties"])}
            for logical_id, resource in self.template["Resources"].items()
            if kind in ("", resource["Type"])
            if "Condition" not in resource or self.condition(resource["Condition"])
        }

    def properties(self, kind: str) -> list[Any]:
        """The properties of the resources of one type."""
        return [each["Properties"] for each in self.resources(kind).values()]

    def condition(self, name: str) -> bool:
        """Whether a named condition holds."""
        return bool(self.resolve(self.template["Conditions"][name]))

    def resolve(self, value: Any) -> Any:
        """Replace the functions in a value by their results."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        name = next(iter(value), "")
        if name == "Ref" or name.startswith("Fn::"):
            (argument,) = value.values()
            return self.call(name, argument)
        return {key: self.resolve(each) for key, each in value.items()}

    def call(self, function: str, argument: Any) -> Any:
        """Return the result of one function."""
        if function == "Ref":
            return self.reference(argument)
        if function == "Fn::If":
            name, then, otherwise = argument
            return self.resolve(then if self.condition(name) else otherwise)
        if function == "Fn::Sub":
            text, more = argument if isinstance(argument, list) else (argument, {})
            return self.substitute(text, self.resolve(more))
        values = self.resolve(argument)
        known: dict[str, Callable[[], object]] = {
            "Fn::GetAtt": lambda: ".".join(values),
            "Fn::Equals": lambda: values[0] == values[1],
            "Fn::Not": lambda: not values[0],
            "Fn::And": lambda: all(values),
        }
        return known[function]()

    def reference(self, name: str) -> Any:
        """Return what `Ref` does: a parameter, a pseudo parameter, or a resource's logical id."""
        if name in self.template["Resources"]:
            return name
        return {**self.values, **PSEUDO}[name]

    def substitute(self, text: str, more: Mapping[str, str]) -> str:
        """Replace `${Name}` and `${Name.Attribute}` in a text."""

        def put_in(found: re.Match[str]) -> str:
            name = found[1]
            if name in more:
                return more[name]
            return name if "." in name else str(self.reference(name))

        return re.sub(r"\$\{([A-Za-z0-9:.]+)\}", put_in, text)


def allows(declared: Mapping[str, Any], value: str) -> bool:
    """Whether a value meets the constraints of its parameter."""
    if "AllowedValues" in declared:
        return value in [str(each) for each in declared["AllowedValues"]]
    if declared["Type"] == "Number":
        return int(declared["MinValue"]) <= int(value) <= int(declared["MaxValue"])
    return bool(re.fullmatch(declared["AllowedPattern"], value))
