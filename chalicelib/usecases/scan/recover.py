"""Completes what scans that died have written, before anything is compared."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from chalicelib.domain.finding import Finding
from chalicelib.domain.history import Mark, MarkedNode
from chalicelib.domain.node import Diff, Node
from chalicelib.usecases.context import Context
from chalicelib.usecases.scan.apply import ChangeWriter, NodeChange, read_list, with_list


def recover_marks(
    context: Context,
    writer: ChangeWriter,
    marks: Iterable[Mark],
    nodes: Mapping[str, Node],
    newer: Collection[str],
) -> dict[str, Node]:
    """Completes the changes of these marks, and returns the nodes as they are then.

    What a dead scan put is stored, so it is new. What it deleted is gone from the
    table, so it ended as the mark says. What it did not come to write is left to
    this scan: those nodes are read again. Nodes whose rows a newer version wrote
    (`newer`) stay marked.
    """
    known = dict(nodes)
    for mark in sorted(marks, key=lambda each: each.id):
        kept = tuple(each for each in mark.nodes if each.instance_id in newer)
        marked = tuple(each for each in mark.nodes if each.instance_id not in newer)
        changed = _find_changes(context, marked, known)
        if changed or not kept:
            writer.settle(changed, () if kept else (mark.id,), context.clock())
        if kept and marked:
            context.facts.mark(replace(mark, nodes=kept))
        known.update({each.before.instance_id: each.after for each in changed if each.after})
    return known


def _find_changes(
    context: Context, marked: Sequence[MarkedNode], known: Mapping[str, Node]
) -> list[NodeChange]:
    """Finds what a scan that died has changed. `known` are the nodes."""
    now = context.clock()
    rows = context.findings.get([key for each in marked for key in (*each.put, *each.deleted)])
    changes = (_complete(each, known.get(each.instance_id), rows, now) for each in marked)
    return [each for each in changes if each.diff.has_changes]


def _complete(
    marked: MarkedNode, node: Node | None, rows: Mapping[str, Finding], now: datetime
) -> NodeChange:
    """Returns what a scan that died has changed, as the findings table shows it."""
    before = node or Node(marked.instance_id)
    listed = read_list(before)
    stored = {key: rows[key] for key in marked.put if key in rows}
    new = tuple(row for key, row in stored.items() if key not in listed)
    updated = tuple(row for key, row in stored.items() if key in listed)
    ended = {key for key in marked.deleted if key in listed and key not in rows}
    kept = (each for key, each in listed.items() if key not in ended and key not in stored)
    found = Diff(new, updated, tuple(listed[key] for key in ended), tuple(kept))
    # a node without a row was never read to the end
    after = before if node else replace(before, unverified_since=now)
    return NodeChange(before, with_list(after, found.open_list), found, marked.end, marked.at)
