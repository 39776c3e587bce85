"""The nodes table in memory."""

from collections.abc import Iterable

from chalicelib.domain.node import Node


class MemoryNodes:
    """`NodeStore` and `NodePages`."""

    def __init__(self) -> None:
        self._rows: dict[str, Node] = {}

    def all(self) -> tuple[Node, ...]:
        """Every node as of now."""
        return tuple(self._rows.values())

    def page(self, after: str | None, limit: int) -> tuple[Node, ...]:
        """At most `limit` nodes behind `after`, by id."""
        ids = sorted(each for each in self._rows if after is None or each > after)
        return tuple(self._rows[each] for each in ids[:limit])

    def put(self, nodes: Iterable[Node]) -> None:
        """Insert or replace."""
        self._rows.update({node.instance_id: node for node in nodes})

    def delete(self, instance_ids: Iterable[str]) -> None:
        """Remove, if stored."""
        for instance_id in instance_ids:
            self._rows.pop(instance_id, None)
