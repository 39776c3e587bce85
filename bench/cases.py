"""The cases of the comparison: what happens to the fleet between two scans."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.ssm.process import SsmProcess

FINDINGS_A_NODE = 20
# Calls a second under which "throttled" is measured; the account limit that is expected of SSM.
THROTTLE = 10.0
SHARE = 0.01

FIRST = "first run"
QUIET = "nothing changed"
FEW = "1 % opened, 1 % resolved"
ONE = "one node changed"
THROTTLED = "throttled, 1 % each"
AGAIN = "all ran again, same findings"
MASS = "mass resolve"


@dataclass(frozen=True, slots=True)
class Case:
    """A case: its name, what changes before it, and the rate that SSM allows."""

    name: str
    prepare: Callable[[SsmProcess, int], object]
    rate: float | None = None


# One after the other, from empty tables on.
ROUND = (
    Case(FIRST, lambda ssm, nodes: ssm.start_fleet((nodes, FINDINGS_A_NODE))),
    Case(QUIET, lambda ssm, _: ssm.read_counts()),
    Case(FEW, lambda ssm, _: ssm.change(SHARE)),
    Case(ONE, lambda ssm, _: ssm.change_one_node()),
    Case(THROTTLED, lambda ssm, _: ssm.change(SHARE), THROTTLE),
    Case(AGAIN, lambda ssm, _: ssm.rerun_all()),
    Case(MASS, lambda ssm, _: ssm.fix_all()),
)
