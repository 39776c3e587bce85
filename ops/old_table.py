"""Findings of a table that an older way of scanning filled: `md5hash`, `instance`, `title`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.domain.errors import BadSetting
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.node import Node, count_by_severity

# What stands where a pass of ours would be named. No message is owed for it.
SCAN_ID = "imported"


class Findings(Protocol):
    """Where findings go."""

    def put(self, findings: Iterable[Finding]) -> None:
        """Insert or replace."""


class Nodes(Protocol):
    """Where their nodes go."""

    def all(self) -> tuple[Node, ...]:
        """Every node that is stored."""

    def put(self, nodes: Iterable[Node]) -> None:
        """Insert or replace."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an old table comes to; `unreadable` are rows without instance or title."""

    findings: tuple[Finding, ...]
    nodes: tuple[Node, ...]
    unreadable: tuple[str, ...]


def read(rows: Iterable[Mapping[str, Any]], now: datetime) -> Imported:
    """Findings and nodes of the old rows; pure.

    The old table knows neither severity nor control nor date: the next scan
    fills in the first two, and `first_seen` is the time of the import. A node
    gets no watermark, so that the next scan reads it, and a node that is gone
    by now leaves as any other does.
    """
    found: dict[str, Finding] = {}
    unreadable: list[str] = []
    for row in rows:
        instance_id, title = row.get("instance"), row.get("title")
        if isinstance(instance_id, str) and isinstance(title, str) and instance_id and title:
            finding = Finding(instance_id, title, Severity.UNSPECIFIED, "", now, SCAN_ID)
            found[finding.finding_id] = finding
        else:
            unreadable.append(str(row.get("md5hash", "a row without md5hash")))
    by_node: dict[str, list[Severity]] = {}
    for finding in found.values():
        by_node.setdefault(finding.instance_id, []).append(finding.severity)
    nodes = tuple(
        Node(instance_id, severities=count_by_severity(severities))
        for instance_id, severities in by_node.items()
    )
    return Imported(tuple(found.values()), nodes, tuple(unreadable))


def store(imported: Imported, findings: Findings, nodes: Nodes) -> None:
    """Write what was read, nodes last; `BadSetting` where the stage has nodes already.

    A stage that has scanned knows the truth, and an import over it would let
    what is fixed come back. Until the nodes are written it can be repeated.
    """
    known = len(nodes.all())
    if known:
        raise BadSetting(
            "NODES_TABLE",
            f"already holds {known} nodes: this stage has scanned, so nothing is imported",
        )
    findings.put(imported.findings)
    nodes.put(imported.nodes)
