"""A node: its watermark, and what the fleet's present rows mean for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain.compliance import Execution, NodeReport
from chalicelib.domain.finding import Severity

# A node is gone when it is missing in two complete lists at least this far apart.
GONE_AFTER = timedelta(hours=1)
# The brake holds when more than this many nodes, and half of the known ones, are missing.
BRAKE_NODES = 10


@dataclass(frozen=True, slots=True)
class Node:
    """A managed instance as we last stored it.

    `executions` (compliance type, case folded, to execution) is the watermark:
    what has been read and verified. `severities` counts its open findings.
    `untitled` counts the items without a title of the last reading, and
    `unverified_fingerprint` is the fingerprint of one that was not verified.
    """

    instance_id: str
    executions: Mapping[str, Execution] = field(default_factory=dict)
    severities: Mapping[Severity, int] = field(default_factory=dict)
    missing_since: datetime | None = None
    unverified_since: datetime | None = None
    untitled: int = 0
    unverified_fingerprint: str = ""

    @property
    def open_findings(self) -> int:
        """How many findings of it are stored."""
        return sum(self.severities.values())

    @property
    def last_read(self) -> datetime | None:
        """When the newest execution that was read and verified ran; None before the first."""
        return max((run.executed_at for run in self.executions.values()), default=None)


@dataclass(frozen=True, slots=True)
class MissingNodes:
    """What the nodes absent from a complete list are.

    newly: not missing before, to be stamped · gone: to be resolved and removed
    · braked: so many are missing that nothing may be removed.
    """

    newly: tuple[Node, ...]
    gone: tuple[Node, ...]
    braked: bool
    total: int


def has_changed(node: Node | None, report: NodeReport) -> bool:
    """Whether a node has anything to read: new, another execution, or left in doubt."""
    if node is None or node.missing_since or node.unverified_since:
        return True
    return dict(node.executions) != report.executions


def has_lost_type(node: Node | None, report: NodeReport, now: datetime) -> bool:
    """Whether a type that was read before is missing, for less than the hour of a gone node.

    What only that type showed is not fixed because its row is away.
    """
    if node is None or node.executions.keys() <= report.executions.keys():
        return False
    return node.unverified_since is None or now - node.unverified_since < GONE_AFTER


def select_for_reading(
    nodes: Mapping[str, Node], present: Mapping[str, NodeReport], *, full: bool
) -> tuple[NodeReport, ...]:
    """The nodes to read: new ones, then the least recently read, then those in doubt.

    Doubtful nodes come last, since they may be read in vain pass after pass.
    """

    def last_read(report: NodeReport) -> tuple[bool, bool, float, str]:
        node = nodes.get(report.instance_id)
        when = node.last_read if node else None
        in_doubt = node is not None and node.unverified_since is not None
        at = when.timestamp() if when else 0.0
        return in_doubt, when is not None, at, report.instance_id

    chosen = (
        report
        for instance_id, report in present.items()
        if full or has_changed(nodes.get(instance_id), report)
    )
    return tuple(sorted(chosen, key=last_read))


def judge_missing(
    nodes: Mapping[str, Node],
    present: Mapping[str, NodeReport],
    now: datetime,
    *,
    accept_missing: bool,
    braked_before: bool = False,
) -> MissingNodes:
    """Judge the known nodes that a complete list does not have.

    A brake that people were told of holds while any node is missing.
    `accept_missing` is a person's word that they are gone: it releases the
    brake and does not wait for the second list.
    """
    absent = [node for instance_id, node in nodes.items() if instance_id not in present]
    many = len(absent) > BRAKE_NODES and 2 * len(absent) >= len(nodes)
    alarming = not present or many or braked_before
    braked = bool(absent) and alarming and not accept_missing
    gone = tuple(
        node
        for node in absent
        if accept_missing or (node.missing_since and now - node.missing_since >= GONE_AFTER)
    )
    return MissingNodes(
        newly=tuple(
            replace(node, missing_since=now)
            for node in absent
            if node.missing_since is None and not accept_missing
        ),
        gone=() if braked else gone,
        braked=braked,
        total=len(absent),
    )


def count_by_severity(severities: Iterable[Severity]) -> dict[Severity, int]:
    """Findings by severity, worst first, without zeros."""
    counts: dict[Severity, int] = {}
    for severity in sorted(severities, key=lambda each: each.rank):
        counts[severity] = counts.get(severity, 0) + 1
    return counts


def sum_severities(nodes: Iterable[Node]) -> dict[Severity, int]:
    """Open findings of the whole fleet by severity, worst first: a sum over nodes."""
    totals = dict.fromkeys(Severity, 0)
    for node in nodes:
        for severity, count in node.severities.items():
            totals[severity] += count
    return {severity: count for severity, count in totals.items() if count}
