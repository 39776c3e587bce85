"""Odd fleets and an SSM that behaves badly: `python -m bench.bad_input`."""

import sys
from collections.abc import Callable

from rich.console import Console

from bench.cases import FINDINGS_A_NODE
from bench.measured import DEADLINE
from bench.results import BadCase, BadInput, cores, save, today
from bench.running import Bench, on_engines

ITEMS = "ssm.ListComplianceItems"
PAGE = 50


def one_huge_node(running: Bench) -> BadCase:
    """All findings are one node's."""
    number = 10_000
    running.ssm.start_fleet((1, number))
    first = running.run()
    running.ssm.change_one_node()
    then = running.run()
    return BadCase(
        name="One node with 10,000 items",
        runs=(first, then),
        checks={
            "each is opened, none is in doubt": first.opened == number and not first.doubts,
            "its pages are read once": first.calls[ITEMS] == number // PAGE,
            "one more and one less are seen": (then.opened, then.resolved) == (1, 1),
        },
    )


def silent_nodes(running: Bench) -> BadCase:
    """Most nodes have nothing."""
    failing, silent = 50, 300
    running.ssm.start_fleet((failing, FINDINGS_A_NODE), (silent, 0))
    run = running.run()
    return BadCase(
        name="300 nodes without any item, 50 with 20",
        runs=(run,),
        checks={
            "nobody lists the items of a node that has none": run.calls[ITEMS] == failing,
            "each finding is opened": run.opened == failing * FINDINGS_A_NODE,
        },
    )


def endless_throttle(running: Bench) -> BadCase:
    """So few calls a second that the time does not suffice; then the limit goes."""
    nodes, deadline = 200, 100
    running.ssm.start_fleet((nodes, FINDINGS_A_NODE))
    running.ssm.set_limits(rate=1)
    cut = running.run(more={DEADLINE: str(deadline)}, fails=True)
    running.ssm.set_limits()
    rest = running.run()
    total = nodes * FINDINGS_A_NODE
    read = nodes - cut.left - sum(cut.doubts.values())
    return BadCase(
        name="A throttle that does not end: one call a second, 200 nodes, 100 seconds",
        runs=(cut, rest),
        checks={
            "the pass ends in its time": cut.seconds < deadline,
            "what was read is kept": 0 < cut.opened == read * FINDINGS_A_NODE,
            "it says that nodes are left, and no all-clear": cut.left > 0
            and cut.topic != "nothing new",
            "the next pass reads the rest, and each finding is opened once": rest.left == 0
            and cut.opened + rest.opened == rest.open == total,
        },
    )


def unlisted_fleet(running: Bench) -> BadCase:
    """So few calls a second that not even the list of nodes ends in time."""
    nodes, deadline = 500, 70
    running.ssm.start_fleet((nodes, FINDINGS_A_NODE))
    running.ssm.set_limits(rate=0.1)
    cut = running.run(more={DEADLINE: str(deadline)}, fails=True)
    running.ssm.set_limits()
    rest = running.run()
    return BadCase(
        name="A throttle under which the list of 500 nodes takes 90 seconds, of 70 that there are",
        runs=(cut, rest),
        checks={
            "the pass ends in its time": cut.seconds < deadline,
            "nothing is opened, nothing resolved, no all-clear": (cut.opened, cut.resolved)
            == (0, 0)
            and cut.topic != "nothing new",
            "the next pass opens everything": rest.opened == nodes * FINDINGS_A_NODE,
        },
    )


def restless_fleet(running: Bench) -> BadCase:
    """Nodes run again between two pages of their items."""
    nodes, each = 100, 60
    running.ssm.start_fleet((nodes, each))
    running.ssm.rerun_while_read(3)
    moving = (running.run(), running.run())
    running.ssm.rerun_while_read(0)
    still = running.run()
    quiet = running.run()
    runs = (*moving, still, quiet)
    total = running.ssm.read_counts().open
    return BadCase(
        name="A fleet that runs again while it is read: after each third page that very node",
        runs=runs,
        checks={
            "torn readings are noticed": any(run.doubts for run in moving),
            "once it keeps still, one pass shows what is there": still.open == total
            and not still.doubts,
            "openings less resolutions are what is open": sum(
                run.opened - run.resolved for run in runs
            )
            == total,
            "after that nothing is left to do": (quiet.opened, quiet.resolved) == (0, 0)
            and ITEMS not in quiet.calls,
        },
    )


CASES: tuple[Callable[[Bench], BadCase], ...] = (
    one_huge_node,
    silent_nodes,
    endless_throttle,
    unlisted_fleet,
    restless_fleet,
)


def measure(running: Bench, told: Callable[[str], object]) -> tuple[BadCase, ...]:
    """Each case, from empty tables on."""
    made = []
    for case in CASES:
        told(case.__name__.replace("_", " "))
        running.empty()
        running.ssm.set_limits()
        made.append(case(running))
    return tuple(made)


def main() -> int:
    """Measure and keep."""
    console = Console(highlight=False, soft_wrap=True)
    made = on_engines(measure)
    save("bad-input", BadInput(when=today(), cores=cores(), cases=made))
    for each in made:
        console.print(each.name)
        for check, kept in each.checks.items():
            console.print(f"  {'yes' if kept else '[red]no[/]'}: {check}")
        for run in each.runs:
            console.print(f"  {run}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
