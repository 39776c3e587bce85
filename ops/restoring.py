"""Makes a table of a stage equal to a restored copy of it, while no pass runs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from chalicelib.aws.dynamodb_pages import Row, scan_table
from chalicelib.domain.errors import Conflict
from chalicelib.usecases.ports import Clock

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# The lease is renewed every so many rows, and ends by itself so long after the last time:
# a restore that dies must not keep the service from scanning.
RENEW_EVERY = 500
LEASE_TIME = timedelta(minutes=5)
# The row by which passes keep each other out; it belongs to the present, not to the copy.
LEASE = "LEASE"


class Lease(Protocol):
    """The one place from which the tables are written."""

    def acquire(self, owner: str, now: datetime, until: datetime) -> bool:
        """Take or renew it."""

    def release(self, owner: str) -> None:
        """Let go."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Rows written from the copy, and rows deleted that the copy does not have."""

    written: int
    deleted: int


def restore(
    copy: "Table", table: "Table", lease: Lease, clock: Clock, renew_every: int = RENEW_EVERY
) -> Restored:
    """Write every row of `copy` into `table` and delete what `copy` does not have.

    Can be repeated. `Conflict` where a pass is under way: nothing was changed
    then, or, if it came in between, the rest is left to the next try.
    """
    names = [each["AttributeName"] for each in table.key_schema]
    kept: set[tuple[Any, ...]] = set()
    deleted = 0
    with (
        _held(lease, clock, renew_every) as renewed,
        table.batch_writer(overwrite_by_pkeys=names) as batch,
    ):
        for row in renewed(_rows(copy)):
            kept.add(tuple(row[name] for name in names))
            batch.put_item(Item=row)
        for row in renewed(_rows(table)):
            if tuple(row[name] for name in names) not in kept:
                batch.delete_item(Key={name: row[name] for name in names})
                deleted += 1
    return Restored(len(kept), deleted)


def _rows(table: "Table") -> Iterator[Row]:
    return (row for row in scan_table(table) if row.get("pk") != LEASE)


@contextmanager
def _held(lease: Lease, clock: Clock, renew_every: int) -> Iterator[Any]:
    """Hold the lease; what is iterated through the yielded function renews it."""
    owner = uuid4().hex

    def take() -> None:
        if not lease.acquire(owner, clock(), clock() + LEASE_TIME):
            raise Conflict("a pass of the service is under way; try again when it has ended")

    def renewed(rows: Iterable[Row]) -> Iterator[Row]:
        for number, row in enumerate(rows):
            if number % renew_every == 0:
                take()
            yield row

    take()
    try:
        yield renewed
    finally:
        lease.release(owner)
