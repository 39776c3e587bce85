"""Reads the policies of .chalice and checks what they allow."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from devstack.environment import ACCOUNT
from tests.permissions.recorder import Need

CHALICE = Path(__file__).parents[2] / ".chalice"
FUNCTIONS = ("ec2-inspec-scan", "monthly-alert", "reconcile", "authorizer", "api_handler")
# What limits a statement to resources of the caller's own account.
OWN_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}
# What limits a statement to partitions of a table.
LEADING_KEYS = "dynamodb:LeadingKeys"


@dataclass(frozen=True)
class Grant:
    """One action on one pattern of resources, and the statement that allows it.

    `partitions` are patterns of partition keys, empty for every partition.
    """

    sid: str
    action: str
    resource: str
    partitions: tuple[str, ...] = ()

    def allows(self, need: Need) -> bool:
        """Whether IAM would allow this; `*` and `?` are IAM's wildcards."""
        return (
            need.action == self.action
            and _matches(self.resource, need.resource)
            and (not self.partitions or self._allows_partitions(need))
        )

    def split_by_partition(self) -> tuple["Grant", ...]:
        """Splits it into grants for one pattern of partition keys each."""
        parts = tuple(replace(self, partitions=(pattern,)) for pattern in self.partitions)
        return parts or (self,)

    def _allows_partitions(self, need: Need) -> bool:
        """Whether the request names partitions, and only such ones."""
        return bool(need.partitions) and all(
            any(_matches(pattern, key) for pattern in self.partitions) for key in need.partitions
        )


def read_config() -> dict[str, Any]:
    """Reads .chalice/config.json."""
    read: dict[str, Any] = json.loads((CHALICE / "config.json").read_bytes())
    return read


def read_policy(stage: str, function: str) -> dict[str, Any]:
    """Reads the policy that config.json gives to a function of a stage."""
    named = read_config()["stages"][stage]["lambda_functions"][function]["iam_policy_file"]
    read: dict[str, Any] = json.loads((CHALICE / named).read_bytes())
    return read


def list_statements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yields the statements of a policy; all of ours allow."""
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        assert _drop_partitions(statement.get("Condition", OWN_ACCOUNT)) == OWN_ACCOUNT
        yield statement


def list_grants(document: Mapping[str, Any]) -> list[Grant]:
    """Lists everything that a policy allows, one action and one resource at a time."""
    return [
        Grant(statement["Sid"], action, resource, _list_partitions(statement))
        for statement in list_statements(document)
        for action in _as_list(statement["Action"])
        for resource in _as_list(statement["Resource"])
    ]


def _drop_partitions(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the condition without the two parts that limit the partitions.

    `ForAllValues` alone also holds for a request without the key, so `Null` must refuse that.
    """
    rest = dict(condition)
    if rest.pop("ForAllValues:StringLike", None) is not None:
        assert rest.pop("Null") == {LEADING_KEYS: "false"}
    return rest


def _list_partitions(statement: Mapping[str, Any]) -> tuple[str, ...]:
    limit = statement.get("Condition", {}).get("ForAllValues:StringLike", {LEADING_KEYS: []})
    (patterns,) = limit.values()
    return tuple(_as_list(patterns))


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _matches(pattern: str, text: str) -> bool:
    plain = re.escape(pattern.replace("${aws:PrincipalAccount}", ACCOUNT))
    return bool(re.fullmatch(plain.replace(r"\*", ".*").replace(r"\?", "."), text))
