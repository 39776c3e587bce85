"""`python -m ops.take_over`: the findings of an old table into a stage that has not scanned."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from chalicelib.adapters.dynamodb_findings import DynamoFindings
from chalicelib.adapters.dynamodb_nodes import DynamoNodes
from chalicelib.aws.dynamodb_pages import scan_table
from ops import checks, old_table
from ops.command import ended, say, stage_parser
from ops.stages import read_stage
from ops.stop import stopping

# Rows that cannot be read and are named.
SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Import; 1 where it stopped, with the reason on standard error."""
    parser = stage_parser("take_over", __doc__)
    parser.add_argument("--from", required=True, dest="source", help="the old table")
    parser.add_argument("--dry-run", action="store_true", help="read and count, write nothing")
    asked = parser.parse_args(arguments)
    return ended(
        "take_over", lambda: say(take_over(asked.stage, asked.source, dry_run=asked.dry_run))
    )


def take_over(name: str, source: str, *, dry_run: bool) -> str:
    """Read the old table and write what it comes to; returns what to tell people."""
    stage = read_stage(name)
    where = checks.place()
    tables = f"{stage.prefix}-findings", f"{stage.prefix}-nodes"
    with stopping(f"the tables {source}, {', '.join(tables)}"):
        dynamodb = where.session.resource("dynamodb")
        imported = old_table.read(scan_table(dynamodb.Table(source)), datetime.now(UTC))
        if not dry_run:
            findings, nodes = (dynamodb.Table(each) for each in tables)
            old_table.store(imported, DynamoFindings(findings), DynamoNodes(nodes))
    done = "would be taken over" if dry_run else "taken over"
    lines = [f"{len(imported.findings):,} findings of {len(imported.nodes):,} nodes {done}"]
    if imported.unreadable:
        lines.append(f"{len(imported.unreadable):,} rows have no instance or title, left out:")
        lines += [f"  {row}" for row in imported.unreadable[:SHOWN]]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
