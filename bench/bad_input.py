"""Measures odd fleets, and an SSM that misbehaves: `python -m bench.bad_input`."""

import sys
from collections.abc import Callable

from rich.console import Console

from bench.cases import FINDINGS_A_NODE, PAGE
from bench.measure_scan import DEADLINE
from bench.processes import Notify
from bench.results import BadCase, BadInput, count_cores, format_today, save
from bench.services import Services, measure_on_services

ITEMS = "ssm.ListComplianceItems"


def measure_huge_node(services: Services) -> BadCase:
    """One node has all findings."""
    number = 10_000
    services.ssm.start_fleet((1, number))
    first = services.run_scan()
    services.ssm.change_one_node()
    second = services.run_scan()
    return BadCase(
        name="One node with 10,000 items",
        scans=(first, second),
        checks={
            "every finding is new and its node is verified": first.new == number
            and not first.unverified,
            "each page of items is read once": first.calls[ITEMS] == number // PAGE,
            "the second scan finds one new and one fixed finding": (second.new, second.fixed)
            == (1, 1),
        },
    )


def measure_clean_nodes(services: Services) -> BadCase:
    """Most nodes have no findings."""
    failing, clean = 50, 300
    services.ssm.start_fleet((failing, FINDINGS_A_NODE), (clean, 0))
    scan = services.run_scan()
    return BadCase(
        name="300 nodes without findings, 50 nodes with 20 each",
        scans=(scan,),
        checks={
            "only nodes with findings are read": scan.calls[ITEMS] == failing,
            "every finding is new": scan.new == failing * FINDINGS_A_NODE,
        },
    )


def measure_long_throttle(services: Services) -> BadCase:
    """SSM throttles until the deadline, and not in the next scan."""
    nodes, deadline = 200, 100
    services.ssm.start_fleet((nodes, FINDINGS_A_NODE))
    services.ssm.set_limits(rate=1)
    first = services.run_scan(settings={DEADLINE: str(deadline)}, may_fail=True)
    services.ssm.set_limits()
    second = services.run_scan()
    total = nodes * FINDINGS_A_NODE
    read = nodes - first.deferred - sum(first.unverified.values())
    return BadCase(
        name="200 nodes, one call a second, a deadline of 100 seconds",
        scans=(first, second),
        checks={
            "the scan ends before its deadline": first.seconds < deadline,
            "every finding that was read is stored": 0 < first.new == read * FINDINGS_A_NODE,
            "the scan reports deferred nodes and gives no all-clear": first.deferred > 0
            and first.topic != "nothing new",
            "the next scan reads the rest, and each finding is new once": second.deferred == 0
            and first.new + second.new == second.open == total,
        },
    )


def measure_unlisted_fleet(services: Services) -> BadCase:
    """SSM throttles so much that the list of nodes takes longer than the deadline."""
    nodes, deadline = 500, 70
    services.ssm.start_fleet((nodes, FINDINGS_A_NODE))
    services.ssm.set_limits(rate=0.1)
    first = services.run_scan(settings={DEADLINE: str(deadline)}, may_fail=True)
    services.ssm.set_limits()
    second = services.run_scan()
    return BadCase(
        name="500 nodes whose list takes 90 seconds, a deadline of 70 seconds",
        scans=(first, second),
        checks={
            "the scan ends before its deadline": first.seconds < deadline,
            "nothing is new, nothing is fixed, and there is no all-clear": (first.new, first.fixed)
            == (0, 0)
            and first.topic != "nothing new",
            "the next scan finds everything": second.new == nodes * FINDINGS_A_NODE,
        },
    )


def measure_moving_fleet(services: Services) -> BadCase:
    """Nodes run again between two pages of their items."""
    nodes, each = 100, 60
    services.ssm.start_fleet((nodes, each))
    services.ssm.rerun_while_read(3)
    moving = (services.run_scan(), services.run_scan())
    services.ssm.rerun_while_read(0)
    settled = services.run_scan()
    quiet = services.run_scan()
    scans = (*moving, settled, quiet)
    total = services.ssm.read_counts().open
    return BadCase(
        name="100 nodes with 60 findings each; every third page, the node just read runs again",
        scans=scans,
        checks={
            "inconsistent pages are noticed": any(scan.unverified for scan in moving),
            "one scan after the last run finds everything": settled.open == total
            and not settled.unverified,
            "new findings minus fixed ones equal the open ones": sum(
                scan.new - scan.fixed for scan in scans
            )
            == total,
            "the scan after that finds nothing to do": (quiet.new, quiet.fixed) == (0, 0)
            and ITEMS not in quiet.calls,
        },
    )


CASES: tuple[Callable[[Services], BadCase], ...] = (
    measure_huge_node,
    measure_clean_nodes,
    measure_long_throttle,
    measure_unlisted_fleet,
    measure_moving_fleet,
)


def measure_cases(services: Services, notify: Notify) -> tuple[BadCase, ...]:
    """Each case, from empty tables."""
    results = []
    for case in CASES:
        notify(case.__name__.removeprefix("measure_").replace("_", " "))
        services.recreate_tables()
        services.ssm.set_limits()
        results.append(case(services))
    return tuple(results)


def main() -> int:
    """Measure, save and print."""
    console = Console(highlight=False, soft_wrap=True)
    cases = measure_on_services(measure_cases)
    save("bad-input", BadInput(when=format_today(), cores=count_cores(), cases=cases))
    for case in cases:
        console.print(case.name)
        for check, kept in case.checks.items():
            console.print(f"  {'yes' if kept else '[red]no[/]'}: {check}")
        for scan in case.scans:
            console.print(f"  {scan}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
