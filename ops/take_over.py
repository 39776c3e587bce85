"""Imports the findings of an older program's table into a stage that has not scanned yet.

The rows of the old table have the attributes `md5hash`, `instance` and `title`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.tables import scan_table
from chalicelib.domain.errors import BadSetting
from chalicelib.domain.finding import Entry, Finding, Severity
from chalicelib.domain.node import Node
from chalicelib.usecases.scan.compare import with_list
from ops.aws import explain_errors, find_account
from ops.stages import read_stage

# Stored where other findings name their scan. No message is enqueued for it.
SCAN_ID = "imported"
# Unreadable rows to show.
SHOWN = 10


class Findings(Protocol):
    """The findings table."""

    def put(self, findings: Iterable[Finding]) -> None:
        """Insert or replace findings."""


class Nodes(Protocol):
    """The nodes table."""

    def all(self) -> tuple[Node, ...]:
        """Return every stored node."""

    def put(self, nodes: Iterable[Node]) -> None:
        """Insert or replace nodes."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The content of an old table. `unreadable` are rows without an instance or a title."""

    findings: tuple[Finding, ...]
    nodes: tuple[Node, ...]
    unreadable: tuple[str, ...]


def take_over(stage_name: str, source: str, *, dry_run: bool) -> str:
    """Read the table `source`, write it unless `dry_run`, and return a report."""
    stage = read_stage(stage_name)
    account = find_account(stage)
    targets = f"{stage.prefix}-findings", f"{stage.prefix}-nodes"
    with explain_errors(f"the tables {source}, {' and '.join(targets)}"):
        dynamodb = account.session.resource("dynamodb")
        imported = parse_rows(scan_table(dynamodb.Table(source)), datetime.now(UTC))
        if not dry_run:
            findings, nodes = (dynamodb.Table(each) for each in targets)
            store(imported, DynamoFindings(findings), DynamoNodes(nodes))
    done = "would be imported" if dry_run else "imported"
    lines = [f"{len(imported.findings):,} findings on {len(imported.nodes):,} nodes {done}"]
    if imported.unreadable:
        lines.append(f"{len(imported.unreadable):,} rows without an instance or a title skipped:")
        lines += [f"  {row}" for row in imported.unreadable[:SHOWN]]
    return "\n".join(lines)


def parse_rows(rows: Iterable[Mapping[str, Any]], now: datetime) -> Imported:
    """Turn the old rows into findings and nodes.

    The old table has no severity, control or date. The next scan fills in the
    first two; `first_seen` is `now`, the time of the import. The nodes have no
    watermark, so that the next scan reads all of them.
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
    lists: dict[str, list[Entry]] = {}
    for finding in found.values():
        lists.setdefault(finding.instance_id, []).append(Entry.of(finding))
    nodes = tuple(with_list(Node(instance_id), each) for instance_id, each in lists.items())
    return Imported(tuple(found.values()), nodes, tuple(unreadable))


def store(imported: Imported, findings: Findings, nodes: Nodes) -> None:
    """Write what was imported, nodes last. Safe to repeat until the nodes are written.

    Raises `BadSetting` if the stage already has nodes: its findings are newer
    than the import, which would bring fixed ones back.
    """
    known = len(nodes.all())
    if known:
        raise BadSetting(
            "NODES_TABLE",
            f"already holds {known} nodes, so this stage has scanned; nothing was imported",
        )
    findings.put(imported.findings)
    nodes.put(imported.nodes)
