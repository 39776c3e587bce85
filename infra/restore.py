"""`python -m infra.restore`: makes a table of a stage equal to a restored copy of it."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from chalicelib.adapters.dynamodb_lease import DynamoLease
from infra import checks
from infra.asking import agreed
from infra.restoring import restore
from infra.stages import read_stage
from infra.stop import Stop, stopping

TABLES = ("findings", "nodes", "ledger")


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    top = argparse.ArgumentParser(prog="python -m infra.restore", description=__doc__)
    top.add_argument("--stage", required=True, help="a stage of .chalice/config.json")
    top.add_argument("--table", required=True, choices=TABLES, help="the table to write over")
    top.add_argument("--from", required=True, dest="source", help="the restored copy")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, then restore; 1 where it stopped, with the reason on standard error."""
    asked = parser().parse_args(arguments)
    try:
        stage = read_stage(asked.stage)
        where = checks.place()
        name = f"{stage.prefix}-{asked.table}"
        agreed(
            f"Write {asked.source} over {name} in account {where.account}, {where.region}? [y/N]"
        )
        with stopping(f"the tables {asked.source}, {name}"):
            dynamodb = where.session.resource("dynamodb")
            done = restore(
                dynamodb.Table(asked.source),
                dynamodb.Table(name),
                DynamoLease(dynamodb.Table(f"{stage.prefix}-ledger")),
                lambda: datetime.now(UTC),
            )
    except Stop as stop:
        sys.stderr.write(f"restore stopped: {stop}\n")
        return 1
    sys.stdout.write(
        f"{done.written:,} rows written, {done.deleted:,} deleted. Next: "
        f"make scan STAGE={stage.name} FULL=1\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
