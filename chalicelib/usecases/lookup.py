"""Whether to look stored findings up node by node or by reading the table once; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A DynamoDB page ends at 1 MB (developer guide, Query and Scan); a row here has about 450 bytes.
ROWS_A_PAGE = 2_300
# BatchGetItem takes so many keys.
KEYS_A_CALL = 100
# What a call costs beside its rows, in rows: some 6 ms to ask and be answered, where a row takes
# 40 microseconds to come over and be read. A page that is full is no cheap call: decision 25.
ROWS_A_CALL = 150


@dataclass(frozen=True, slots=True)
class NodeLookup:
    """A node whose stored findings are wanted, how many those are, and how many it shows now."""

    instance_id: str
    stored: int
    shown: int = 0


def prefer_table(wanted: Sequence[NodeLookup], table: int) -> bool:
    """Whether reading a table of so many rows is cheaper than asking for each node."""
    return _cost(_pages(table), table) < _by_node(wanted)


def _by_node(wanted: Iterable[NodeLookup]) -> int:
    """A query of the index for each node, then all candidates by their keys."""
    calls = rows = keys = 0
    for each in wanted:
        calls += _pages(each.stored)
        rows += each.stored
        keys += max(each.stored, each.shown)
    return _cost(calls + -(-keys // KEYS_A_CALL), rows + keys)


def _pages(rows: int) -> int:
    return max(1, -(-rows // ROWS_A_PAGE))


def _cost(calls: int, rows: int) -> int:
    return calls * ROWS_A_CALL + rows
