"""Reads the policies of .chalice and checks what they allow."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devstack.environment import ACCOUNT

CHALICE = Path(__file__).parents[2] / ".chalice"
FUNCTIONS = ("ec2-inspec-scan", "monthly-alert", "reconcile", "authorizer", "api_handler")
# What limits a statement to resources of the caller's own account.
OWN_ACCOUNT = {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}


@dataclass(frozen=True)
class Grant:
    """One action on one pattern of resources, and the statement that allows it."""

    sid: str
    action: str
    resource: str

    def allows(self, action: str, resource: str) -> bool:
        """Whether IAM would allow this; `*` and `?` are IAM's wildcards."""
        return action == self.action and bool(_compile_pattern(self.resource).fullmatch(resource))


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
        assert statement.get("Condition", OWN_ACCOUNT) == OWN_ACCOUNT
        yield statement


def list_grants(document: Mapping[str, Any]) -> list[Grant]:
    """Lists everything that a policy allows, one action and one resource at a time."""
    return [
        Grant(statement["Sid"], action, resource)
        for statement in list_statements(document)
        for action in _as_list(statement["Action"])
        for resource in _as_list(statement["Resource"])
    ]


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _compile_pattern(resource: str) -> re.Pattern[str]:
    plain = resource.replace("${aws:PrincipalAccount}", ACCOUNT)
    return re.compile(re.escape(plain).replace(r"\*", ".*").replace(r"\?", "."))
