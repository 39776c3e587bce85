"""Gathers the fleet: what SSM lists of it, what is stored, and each node's list of findings."""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.compliance import NodeReport, group_reports
from chalicelib.domain.finding import Entry
from chalicelib.domain.history import Mark
from chalicelib.domain.node import Node
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.context import Context, Run
from chalicelib.usecases.ports import UncheckedKey
from chalicelib.usecases.scan.compare import read_list, with_list
from chalicelib.usecases.scan.read import list_summaries


class FleetState(Struct, frozen=True):
    """The fleet as SSM lists it and as it is stored. `snoozes` None: they cannot be read.

    absent: listed findings without a row in the findings table, by node, as far as
    the table was read · unlisted: the number of rows there that no list had · newer:
    nodes whose rows a newer version wrote; the scan does not touch them.
    """

    present: Mapping[str, NodeReport]
    nodes: Mapping[str, Node]
    snoozes: tuple[Snooze, ...] | None
    absent: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unlisted: int = 0
    newer: frozenset[str] = frozenset()


def gather_fleet(
    context: Context,
    run: Run,
    snoozes: tuple[Snooze, ...] | None,
    marks: Sequence[Mark],
) -> FleetState:
    """Reads the complete list of SSM and every node row, with its list of findings.

    `marks` name what is left to `recover_marks`.
    """
    rows = list_summaries(context.compliance, context.clock, run.read_until)
    present = group_reports(rows, context.clock())
    nodes = {node.instance_id: node for node in context.nodes.all()}
    newer = frozenset(node.instance_id for node in nodes.values() if node.is_newer)
    if run.options.full:
        return _fill_lists(context, FleetState(present, nodes, snoozes), marks, full=True)
    fleet = FleetState(
        present={key: each for key, each in present.items() if key not in newer},
        nodes={key: each for key, each in nodes.items() if key not in newer},
        snoozes=snoozes,
        newer=newer,
    )
    if any(node.open_list is None for node in fleet.nodes.values()):
        return _fill_lists(context, fleet, marks, full=False)
    return fleet


def _fill_lists(
    context: Context, fleet: FleetState, marks: Sequence[Mark], *, full: bool
) -> FleetState:
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
    filled_nodes = {key for key, each in fleet.nodes.items() if each.open_list is None}
    stored, twice = _list_stored(context, None if full else filled_nodes)
    nodes, filled, absent, unlisted = dict(fleet.nodes), [], {}, 0
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
            node = Node(instance_id, missing_since=None if instance_id in fleet.present else now)
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
            nodes[instance_id] = with_list(node, completed.values())
            filled.append(nodes[instance_id])
    context.nodes.put(filled)
    # what is on a mark is left to `recover_marks`
    twice = [key for key in twice if key.finding_id not in marked]
    if twice:
        context.unchecked.delete(twice)
    return replace(fleet, nodes=nodes, absent=absent, unlisted=unlisted)


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
