"""What a pass costs: calls by operation and seconds, against the limits that are promised.

Run it with `make bench`. 200 nodes with 50 findings each, DynamoDB Local.
"""

import sys
from collections.abc import Mapping
from math import ceil

from rich.console import Console
from rich.table import Table

from devstack.dynamodb_local import missing
from devstack.environment import isolate

NODES, FINDINGS = 200, 50
# A DynamoDB page ends at 1 MB (developer guide, Query and Scan); a row here has about 450 bytes.
PAGE_BYTES, ROW_BYTES = 1_048_576, 450
# Ledger calls that a pass over an unchanged fleet may make.
QUIET_LEDGER_CALLS = 10


def limit(nodes: int, items: int, stored: int, changes: int) -> int:
    """The promised number of calls of a pass over a wholly changed fleet, Slack not counted."""
    pages = max(1, ceil(stored * ROW_BYTES / PAGE_BYTES))
    needed = (
        ceil(nodes / 50)
        + nodes * ceil(items / 50)
        + pages
        + ceil(nodes / 25)
        + 2 * ceil(changes / 25)
    )
    return int(1.1 * needed) + 20


def main() -> int:
    """Measure four passes; 1 where a limit is not kept."""
    isolate()
    if missing():
        Console(stderr=True).print(f"The bench needs DynamoDB Local: {missing()}")
        return 1
    from bench.fleet import fleet  # noqa: PLC0415 - the stand-ins read the environment

    console = Console(highlight=False)
    total = NODES * FINDINGS
    failed = []
    with fleet(NODES) as measured:
        measured.report(range(FINDINGS))
        first = measured.scan()
        failed += check(console, "first scan, all new", first, limit(NODES, FINDINGS, 0, total))
        quiet = measured.reconcile()
        failed += check(console, "nothing changed", quiet, None)
        failed += quiet_faults(quiet["calls"])
        measured.report(range(FINDINGS))
        same = measured.scan()
        failed += check(
            console, "all scanned again, same findings", same, limit(NODES, FINDINGS, total, 0)
        )
        measured.report(range(10, FINDINGS + 10))
        moved = measured.scan()
        changes = 2 * 10 * NODES
        wanted = limit(NODES, FINDINGS, total, changes)
        failed += check(console, "10 resolved and 10 opened on every node", moved, wanted)
    for fault in failed:
        console.print(f"[red]not kept: {fault}")
    return 1 if failed else 0


def quiet_faults(calls: object) -> list[str]:
    """What a pass over an unchanged fleet did that it must not do."""
    made: Mapping[str, int] = calls  # type: ignore[assignment]
    faults = [
        f"nothing changed, but {operation} was called"
        for operation in ("ssm.ListComplianceItems", "dynamodb.BatchWriteItem")
        if made.get(operation)
    ]
    # the node table is read by Scan; every other call to DynamoDB is one to the ledger
    ledger = sum(
        count
        for name, count in made.items()
        if name.startswith("dynamodb.") and name != "dynamodb.Scan"
    )
    if ledger > QUIET_LEDGER_CALLS:
        faults.append(f"{ledger} ledger calls, {QUIET_LEDGER_CALLS} are promised")
    return faults


def check(
    console: Console, title: str, facts: Mapping[str, object], wanted: int | None
) -> list[str]:
    """Print a pass and say where it needs more calls than promised."""
    calls: Mapping[str, int] = facts["calls"]  # type: ignore[assignment]
    total = sum(calls.values())
    table = Table(title=f"{title}: {facts['seconds']} s", title_justify="left")
    table.add_column("operation")
    table.add_column("calls", justify="right")
    for name, count in calls.items():
        table.add_row(name, str(count))
    table.add_row("all", f"{total}" + (f" of {wanted} promised" if wanted else ""), style="bold")
    console.print(table)
    console.print(
        f"opened {facts['opened']} · resolved {facts['resolved']} · open {facts['open']}\n"
    )
    if wanted is not None and total > wanted:
        return [f"{title}: {total} calls, {wanted} are promised"]
    return []


if __name__ == "__main__":
    sys.exit(main())
