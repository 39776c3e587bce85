"""What is asked of the API: the kinds of request, each to a node or finding of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.api_fleet import findings_of, node_id

PAGE = 50
SNOOZE = {"reason": "maintenance", "comment": "bench", "duration": "P1D"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    body: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """Requests that are measured together."""

    name: str
    requests: tuple[Asked, ...]


def kinds(nodes: int, number: int) -> tuple[Kind, ...]:
    """`number` requests of each kind, spread over the nodes; no kind names a finding twice."""
    lists = [f"/v1/findings?instance_id={node_id(n % nodes)}&limit={PAGE}" for n in range(number)]
    found = [findings_of(n % nodes)[n // nodes].finding_id for n in range(number)]
    return (
        Kind("list by instance", tuple(Asked("GET", path) for path in lists)),
        Kind("get", tuple(Asked("GET", f"/v1/findings/{each}") for each in found)),
        Kind(
            "snooze",
            tuple(Asked("PUT", f"/v1/findings/{each}/snooze", SNOOZE) for each in found),
        ),
    )
