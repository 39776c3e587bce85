"""Makes a table of a stage equal to a restored copy, while no scan runs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from chalicelib.adapters.dynamodb.tables import Row, is_newer, scan_table
from chalicelib.adapters.dynamodb.work import DynamoLease
from chalicelib.domain.errors import Conflict
from chalicelib.usecases.ports import Clock
from ops.aws import explain_errors, find_account
from ops.console import confirm
from ops.stages import read_stage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

TABLES = ("findings", "nodes", "ledger")
# The lease is renewed after this many rows.
RENEW_EVERY = 500
# A lease that is not renewed ends after this time, so a restore that dies stops no scans for long.
LEASE_TIME = timedelta(minutes=5)
# The row of the lease itself. It is never restored: it belongs to the present.
LEASE = "LEASE"


class Lease(Protocol):
    """The lease that lets one worker at a time write the tables."""

    def acquire(self, owner: str, now: datetime, until: datetime) -> bool:
        """Take or renew the lease. Returns False if another owner has it."""

    def release(self, owner: str) -> bool:
        """Give the lease back."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Rows written from the copy, and rows deleted because the copy does not have them."""

    written: int
    deleted: int


def restore(stage_name: str, table: str, source: str) -> str:
    """Ask, write the table `source` over a table of the stage, and return a report."""
    stage = read_stage(stage_name)
    account = find_account(stage)
    target = f"{stage.prefix}-{table}"
    confirm(f"Overwrite {target} with {source} in account {account.id}, {account.region}? [y/N]")
    with explain_errors(f"the tables {source} and {target}"):
        dynamodb = account.session.resource("dynamodb")
        restored = restore_table(
            dynamodb.Table(source),
            dynamodb.Table(target),
            DynamoLease(dynamodb.Table(f"{stage.prefix}-ledger")),
            lambda: datetime.now(UTC),
        )
    return (
        f"{restored.written:,} rows written, {restored.deleted:,} rows deleted. "
        f"Next: make scan STAGE={stage.name} FULL=1"
    )


def restore_table(
    copy: "Table", table: "Table", lease: Lease, clock: Clock, renew_every: int = RENEW_EVERY
) -> Restored:
    """Write every row of `copy` into `table`, and delete the rows that `copy` does not have.

    Safe to repeat. Raises `Conflict` if a scan is running. If a scan takes the
    lease half-way, the restore stops there. Node rows lose their version: the next
    scan then takes their lists from the findings table, and announces nothing of it.
    """
    keys = [each["AttributeName"] for each in table.key_schema]
    kept: set[tuple[Any, ...]] = set()
    deleted = 0
    with (
        _hold(lease, clock, renew_every) as renew,
        table.batch_writer(overwrite_by_pkeys=keys) as batch,
    ):
        for row in renew(_read_rows(copy)):
            kept.add(tuple(row[key] for key in keys))
            batch.put_item(Item=_drop_version(row))
        for row in renew(_read_rows(table)):
            if tuple(row[key] for key in keys) not in kept:
                batch.delete_item(Key={key: row[key] for key in keys})
                deleted += 1
    return Restored(len(kept), deleted)


def _drop_version(row: Row) -> Row:
    """Returns a node row as one of a version without lists, and any other row as it is."""
    if "finding_id" in row or "instance_id" not in row or is_newer(row):
        return row
    return {name: each for name, each in row.items() if name != "row_version"}


def _read_rows(table: "Table") -> Iterator[Row]:
    return (row for row in scan_table(table) if row.get("pk") != LEASE)


@contextmanager
def _hold(lease: Lease, clock: Clock, renew_every: int) -> Iterator[Any]:
    """Hold the lease inside the block. Iterate through the yielded function to renew it."""
    owner = uuid4().hex

    def acquire() -> None:
        if not lease.acquire(owner, clock(), clock() + LEASE_TIME):
            raise Conflict("a scan is running; run this again when it has ended")

    def renew(rows: Iterable[Row]) -> Iterator[Row]:
        for number, row in enumerate(rows):
            if number % renew_every == 0:
                acquire()
            yield row

    acquire()
    try:
        yield renew
    finally:
        lease.release(owner)
