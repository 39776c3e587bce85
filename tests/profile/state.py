"""A state of a host that a control was tried in, and what the control must say about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.profile.hosts import Host

PASSES = "passes"
FAILS = "fails"
SKIPS = "skips"
# Some results skip, the others pass.
PASSES_IN_PART = "passes in part"


@dataclass(frozen=True)
class State:
    """One row of the table in the README of the profile. The name is unique for the control."""

    control: str
    name: str
    verdict: str
    host: Host
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def row(self) -> str:
        """The row of the table."""
        return f"| `{self.control}` | {self.name} | {self.verdict} |"


def read_verdict(control: Mapping[str, Any]) -> str:
    """Return what a recorded control says."""
    passed = [result["passed"] for result in control["results"]]
    if control["skip"] is not None or all(each is None for each in passed):
        return SKIPS
    if False in passed:
        return FAILS
    return PASSES_IN_PART if None in passed else PASSES
