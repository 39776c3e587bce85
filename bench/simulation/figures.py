"""What the simulation leaves in bench/results/simulation.json."""

import msgspec

from bench.results import Result
from infra.costs import DYNAMODB_READ, DYNAMODB_WRITE, LAMBDA_GB_SECOND, LAMBDA_REQUEST

# What the functions that make scans have (.chalice/config.json).
LAMBDA_GB = 1.0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the whole fleet at so many calls to SSM a second.

    hours, lambda_seconds: simulated · cpu_seconds: of the process that played it, the simulation
    itself included · dollars: by arithmetic.
    """

    rate: float
    scans: int
    hours: float
    lambda_seconds: float
    summary_calls: int
    item_calls: int
    dynamodb_calls: int
    read_units: int
    write_units: int
    messages: int
    cpu_seconds: float
    dollars: float


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The most memory that a pass over so many nodes has held, and the nodes that it read."""

    what: str
    nodes: int
    read: int
    peak_mb: float


class Simulation(Result, frozen=True, kw_only=True):
    """Changes of a fleet at several rates, and the program's own memory for fleets."""

    nodes: int
    findings_a_node: int
    changes: tuple[Change, ...]
    peaks: tuple[Peak, ...]


def dollars(*, scans: int, lambda_seconds: float, reads: float, writes: float) -> float:
    """What AWS asks for scans, by `infra.costs`; SSM's calls are free, S3's too few to count."""
    return (
        lambda_seconds * LAMBDA_GB * LAMBDA_GB_SECOND
        + scans * LAMBDA_REQUEST
        + reads * DYNAMODB_READ
        + writes * DYNAMODB_WRITE
    )
