"""The requests of a load test, and the figures of their responses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import msgspec

from bench.api.tables import FilledFleet, make_instance_id
from bench.figures import compute_p95
from bench.results import LoadKind

PAGE = 50
SNOOZE = {"reason": "maintenance", "comment": "bench", "duration": "P1D"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    method: str
    path: str
    body: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class RequestKind:
    """Requests that are measured together."""

    name: str
    requests: tuple[Request, ...]


def build_kinds(fleet: FilledFleet, number: int) -> tuple[RequestKind, ...]:
    """`number` requests of each kind, spread over the nodes. A kind names each finding once."""
    nodes = fleet.nodes
    nodes_asked = [make_instance_id(each % nodes) for each in range(number)]
    findings = [
        tuple(fleet.make_findings(each % nodes))[each // nodes].finding_id for each in range(number)
    ]
    return (
        RequestKind(
            "list by instance",
            tuple(
                Request("GET", f"/v1/findings?instance_id={each}&limit={PAGE}")
                for each in nodes_asked
            ),
        ),
        RequestKind("get", tuple(Request("GET", f"/v1/findings/{each}") for each in findings)),
        RequestKind(
            "snooze",
            tuple(Request("PUT", f"/v1/findings/{each}/snooze", SNOOZE) for each in findings),
        ),
    )


class LoadResponse(msgspec.Struct, frozen=True, array_like=True):
    """The number of its request, seconds since 1970, milliseconds, and the error if any."""

    number: int
    began: float
    milliseconds: float
    error: str | None


def list_errors(responses: Sequence[LoadResponse], requests: int) -> list[str]:
    """One line for each failed request, the warm-up and requests without a response included."""
    errors = [each.error for each in responses if each.error is not None]
    return errors + ["no response before the run ended"] * (requests - len(responses))


def summarize(name: str, responses: Sequence[LoadResponse], warm_up: int, errors: int) -> LoadKind:
    """The figures without the first `warm_up` requests. Zeros if fewer than two remain."""
    measured = [each for each in responses if each.number >= warm_up]
    if len(measured) < 2:
        return LoadKind(name=name, p50_ms=0.0, p95_ms=0.0, per_second=0.0, errors=errors)
    times = [each.milliseconds for each in measured]
    ended = max(each.began + each.milliseconds / 1000 for each in measured)
    seconds = ended - min(each.began for each in measured)
    return LoadKind(
        name=name,
        p50_ms=round(median(times), 1),
        p95_ms=round(compute_p95(times), 1),
        per_second=round(len(measured) / seconds, 1),
        errors=errors,
    )
