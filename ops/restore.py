"""`python -m ops.restore`: makes a table of a stage equal to a restored copy of it."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from chalicelib.adapters.dynamodb_lease import DynamoLease
from ops import checks
from ops.asking import agreed
from ops.command import ended, say, stage_parser
from ops.restoring import restore
from ops.stages import read_stage
from ops.stop import stopping

TABLES = ("findings", "nodes", "ledger")


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask, then restore; 1 where it stopped, with the reason on standard error."""
    parser = stage_parser("restore", __doc__)
    parser.add_argument("--table", required=True, choices=TABLES, help="the table to write over")
    parser.add_argument("--from", required=True, dest="source", help="the restored copy")
    asked = parser.parse_args(arguments)
    return ended("restore", lambda: say(ask_and_restore(asked.stage, asked.table, asked.source)))


def ask_and_restore(stage_name: str, table: str, source: str) -> str:
    """Write the table `source` over a table of the stage; returns what to tell people."""
    stage = read_stage(stage_name)
    where = checks.place()
    name = f"{stage.prefix}-{table}"
    agreed(f"Write {source} over {name} in account {where.account}, {where.region}? [y/N]")
    with stopping(f"the tables {source}, {name}"):
        dynamodb = where.session.resource("dynamodb")
        done = restore(
            dynamodb.Table(source),
            dynamodb.Table(name),
            DynamoLease(dynamodb.Table(f"{stage.prefix}-ledger")),
            lambda: datetime.now(UTC),
        )
    return (
        f"{done.written:,} rows written, {done.deleted:,} deleted. Next: "
        f"make scan STAGE={stage.name} FULL=1"
    )


if __name__ == "__main__":
    sys.exit(main())
