"""The program's own memory for a fleet: scans over growing fleets that nobody else holds."""

from collections.abc import Callable, Iterator

from bench.own_process import in_own_process
from bench.simulation.figures import Peak
from bench.simulation.one_pass import CASES
from devstack.stack import run_stack

SIZES = (1_000, 10_000, 100_000)


def peaks(told: Callable[[str], object]) -> Iterator[Peak]:
    """Every case at every size, each in a process of its own, on the stand-ins."""
    for case, what in CASES.items():
        for nodes in SIZES:
            told(f"memory of a pass over {nodes:,} nodes, {what}")
            with run_stack() as running:
                arguments = (case, str(nodes))
                yield in_own_process("bench.simulation.one_pass", arguments, running.env, Peak)
