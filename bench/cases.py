"""The cases of the comparison: what happens to the fleet between two scans."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.ssm.process import SsmProcess

FINDINGS_A_NODE = 20
# Calls a second under which "throttled" is measured; the account limit that is expected of SSM.
THROTTLE = 10.0


@dataclass(frozen=True, slots=True)
class Case:
    """A case: its name, what changes before it, and the rate that SSM allows."""

    name: str
    prepare: Callable[[SsmProcess, int], object]
    rate: float | None = None


# One after the other they lead back to where they began: nothing stored, so a round can follow.
ROUND = (
    Case("first run", lambda ssm, nodes: ssm.first(nodes, FINDINGS_A_NODE)),
    Case("nothing changed", lambda ssm, _: ssm.counts()),
    Case("1 % opened, 1 % resolved", lambda ssm, _: ssm.change(0.01)),
    Case("one node changed", lambda ssm, _: ssm.one()),
    Case("throttled, 1 % each", lambda ssm, _: ssm.change(0.01), THROTTLE),
    Case("mass resolve", lambda ssm, _: ssm.resolve_all()),
)
