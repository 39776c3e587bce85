"""Completes the lists of nodes from what is stored: in a full scan, and after an update."""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.finding import Entry
from chalicelib.domain.history import Mark
from chalicelib.domain.node import Node
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import UncheckedKey
from chalicelib.usecases.scan.compare import read_list, with_list


class FilledLists(Struct, frozen=True):
    """The node rows with complete lists.

    absent: listed findings without a row in the findings table, by node, as far as
    the table was read · unlisted: the number of rows there that no list had.
    """

    nodes: Mapping[str, Node]
    absent: Mapping[str, frozenset[str]]
    unlisted: int


def fill_lists(
    context: Context,
    nodes: Mapping[str, Node],
    present: Collection[str],
    marks: Iterable[Mark],
    *,
    full: bool,
) -> FilledLists:
    """Completes the lists of nodes from what is stored, which is read once.

    Not `full`: only those of rows without a list that can be read. A finding that
    is stored, not listed, and not on a mark was announced. So it is listed without
    a fact. If its node has no row, it gets one, and is removed like the findings
    of any missing node. If list and row differ, the row counts: what differs
    from the reading is then written again. Of a remembered finding that is stored as
    open too, the open row counts, and the other one is deleted; one without a row is not
    listed any more.
    """
    marked = {key for mark in marks for node in mark.nodes for key in node.kinds}
    filled_nodes = {key for key, each in nodes.items() if each.open_list is None}
    stored, twice = _list_stored(context, None if full else filled_nodes)
    completed_nodes, filled, absent, unlisted = dict(nodes), [], {}, 0
    now = context.clock()
    for instance_id in stored.keys() | nodes.keys():
        node = nodes.get(instance_id)
        listed = read_list(node) if node else {}
        rows = stored.get(instance_id, {})
        if full:
            absent[instance_id] = frozenset(
                key for key, each in listed.items() if key not in rows and not each.is_unchecked
            )
        rows = {key: entry for key, entry in rows.items() if key not in marked}
        if node is None and not rows:
            continue
        unlisted += len(rows.keys() - listed.keys())
        if node is None or node.is_newer:
            node = Node(instance_id, missing_since=None if instance_id in present else now)
        kept = (
            listed
            if not full
            else {
                key: each
                for key, each in listed.items()
                if not each.is_unchecked or key in rows or key in marked
            }
        )
        completed = _complete_list(kept, rows)
        if node.open_list is None or completed != listed:
            completed_nodes[instance_id] = with_list(node, completed.values())
            filled.append(completed_nodes[instance_id])
    context.nodes.put(filled)
    # what is on a mark is left to `recover_marks`
    twice = [key for key in twice if key.finding_id not in marked]
    if twice:
        context.unchecked.delete(twice)
    return FilledLists(completed_nodes, absent, unlisted)


def _list_stored(
    context: Context, wanted: Collection[str] | None
) -> tuple[dict[str, dict[str, Entry]], list[UncheckedKey]]:
    """Lists what is stored of nodes, all if None, and what is remembered beside an open row."""
    stored: dict[str, dict[str, Entry]] = {}
    twice = []
    for finding in context.findings.all():
        if wanted is None or finding.instance_id in wanted:
            rows = stored.setdefault(finding.instance_id, {})
            rows[finding.finding_id] = Entry.of(finding)
    for unchecked in context.unchecked.all():
        key = UncheckedKey(unchecked.finding.instance_id, unchecked.finding.finding_id)
        if wanted is None or key.instance_id in wanted:
            rows = stored.setdefault(key.instance_id, {})
            if key.finding_id in rows:
                twice.append(key)
            else:
                rows[key.finding_id] = Entry.of_unchecked(unchecked)
    return stored, twice


def _complete_list(listed: Mapping[str, Entry], rows: Mapping[str, Entry]) -> dict[str, Entry]:
    """Returns a list with what is stored. If both have a finding, the row counts.

    Marks that a row does not have stay.
    """
    completed = dict(listed)
    for key, row in rows.items():
        known = listed.get(key)
        if known is None or known.is_unchecked != row.is_unchecked:
            completed[key] = row
        else:
            completed[key] = replace(
                row, worst=known.worst, in_turn=known.in_turn, absences=known.absences
            )
    return completed
