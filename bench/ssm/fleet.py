"""A seeded fleet: the items each node reports, how they change, and how SSM lists them."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devstack.environment import TOKEN

TYPE = "Custom:InSpec"
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
COMPLIANT = 40
# The most rows of either SSM listing (API reference, MaxResults).
LARGEST_PAGE = 50
# Makes titles as long as those of real profiles: a control, and the text of one of its tests.
_TAIL = "File /etc/ssh/sshd_config is expected to be configured as the baseline asks"


def make_instance_id(number: int) -> str:
    """The id of a node, as long as a real one."""
    return f"i-{number:017x}"


def make_title(control: int) -> str:
    """The title of a control."""
    return f"Control {control} must hold : {_TAIL}"


@dataclass(frozen=True, slots=True)
class NodeState:
    """The last run of a node: its number, its time in seconds since 1970, and its controls.

    `controls` failed. `fixed` failed before and passed now, with further ones, which make it
    `COMPLIANT` at least.
    """

    run: int
    at: float
    controls: tuple[int, ...]
    fixed: tuple[int, ...] = ()

    @property
    def passed(self) -> tuple[int, ...]:
        """The controls that passed. No other node has ever failed the negative ones."""
        return (*self.fixed, *range(-1, len(self.fixed) - COMPLIANT - 1, -1))


@dataclass(slots=True)
class Fleet:
    """All nodes by number. Each change is a new run of the nodes that it touches.

    rerun_every: after this many listings of items, the node just listed runs again before its
    next page is requested. 0 turns that off.
    """

    seed: int = 0
    clock: Callable[[], float] = time.time
    run: int = 0
    nodes: dict[int, NodeState] = field(default_factory=dict)
    rerun_every: int = 0
    _listings: int = 0
    # the next control that no node has failed yet
    _unused: int = 0

    def start(self, groups: Sequence[tuple[int, int]]) -> None:
        """Replace the fleet. Each group is a number of nodes and the findings on each."""
        self.run += 1
        self._unused = max(self._unused, *(each for _, each in groups))
        sizes = [each for number, each in groups for _ in range(number)]
        self.nodes = {node: self._run_node(tuple(range(each))) for node, each in enumerate(sizes)}

    def change(self, share: float) -> None:
        """Fix this share of all findings and add as many, each on a different node."""
        self.run += 1
        chooser = random.Random(f"{self.seed}-{self.run}")  # noqa: S311 - repeatable, not secret
        failing = [node for node, state in self.nodes.items() if state.controls]
        total = sum(len(self.nodes[node].controls) for node in failing)
        number = max(1, round(total * share))
        for node in chooser.sample(failing, min(number, len(failing))):
            self._replace_finding(node)

    def change_one_node(self) -> None:
        """Fix one finding of the first node and add one."""
        self.run += 1
        self._replace_finding(min(self.nodes))

    def rerun_all(self) -> None:
        """Run every node again with the same results."""
        self.run += 1
        self.nodes = {
            node: self._run_node(state.controls, state.fixed) for node, state in self.nodes.items()
        }

    def fix_all(self) -> None:
        """Run every node again without failures."""
        self.run += 1
        self.nodes = {
            node: self._run_node((), state.fixed + state.controls)
            for node, state in self.nodes.items()
        }

    def note_listing(self, node: int) -> None:
        """Count a page of items, and rerun the node if `rerun_every` says so."""
        self._listings += 1
        if self.rerun_every and self._listings % self.rerun_every == 0:
            self.run += 1
            self._replace_finding(node)

    @property
    def open_count(self) -> int:
        """The number of findings on all nodes."""
        return sum(len(state.controls) for state in self.nodes.values())

    def _replace_finding(self, node: int) -> None:
        """Fix the first finding of a node and add a new one."""
        state = self.nodes[node]
        first, *others = state.controls
        self.nodes[node] = self._run_node((*others, self._unused), (*state.fixed, first))
        self._unused += 1

    def _run_node(self, controls: tuple[int, ...], fixed: tuple[int, ...] = ()) -> NodeState:
        return NodeState(self.run, self.clock(), controls, fixed)


def list_summaries(fleet: Fleet, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListResourceComplianceSummaries: a page with one row for each node."""
    page, token = _cut_page(sorted(fleet.nodes), request)
    rows = [_summary(fleet, node) for node in page]
    return {"ResourceComplianceSummaryItems": rows, **token}


def list_items(fleet: Fleet, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListComplianceItems: a page of the controls of one node that failed, or that passed."""
    (wanted,) = request["ResourceIds"]
    node = int(wanted.removeprefix("i-"), 16)
    state = fleet.nodes[node]
    (status,) = next(each["Values"] for each in request["Filters"] if each["Key"] == "Status")
    controls = state.passed if status == "COMPLIANT" else state.controls
    page, token = _cut_page(controls, request)
    execution = _execution(state)
    fleet.note_listing(node)
    rows = [
        {
            "ComplianceType": TYPE,
            "ResourceType": "ManagedInstance",
            "ResourceId": make_instance_id(node),
            "Id": f"control-{control}",
            "Title": make_title(control),
            "Status": status,
            "Severity": SEVERITIES[control % len(SEVERITIES)],
            "ExecutionSummary": execution,
            "Details": {},
        }
        for control in page
    ]
    return {"ComplianceItems": rows, **token}


def get_parameter(fleet: Fleet, request: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - an action
    """GetParameter: the token of the Slack stand-in under any name."""
    return {"Parameter": {"Name": request["Name"], "Type": "SecureString", "Value": TOKEN}}


def _summary(fleet: Fleet, node: int) -> dict[str, Any]:
    state = fleet.nodes[node]
    return {
        "ComplianceType": TYPE,
        "ResourceType": "ManagedInstance",
        "ResourceId": make_instance_id(node),
        "Status": "NON_COMPLIANT" if state.controls else "COMPLIANT",
        "ExecutionSummary": _execution(state),
        "CompliantSummary": {"CompliantCount": len(state.passed), "SeveritySummary": {}},
        "NonCompliantSummary": {"NonCompliantCount": len(state.controls), "SeveritySummary": {}},
    }


def _execution(state: NodeState) -> dict[str, Any]:
    return {
        "ExecutionTime": state.at,
        "ExecutionId": f"run-{state.run}",
        "ExecutionType": "Command",
    }


def _cut_page(
    rows: Sequence[int], request: Mapping[str, Any]
) -> tuple[Sequence[int], dict[str, str]]:
    start = int(request.get("NextToken") or 0)
    end = start + min(request.get("MaxResults") or LARGEST_PAGE, LARGEST_PAGE)
    return rows[start:end], {"NextToken": str(end)} if end < len(rows) else {}
