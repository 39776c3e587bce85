"""DynamoDB leaves rows unprocessed, throttles or refuses."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY, Stubber

from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.adapters.dynamodb.journal import DynamoFacts, DynamoJournal, DynamoTitles
from chalicelib.adapters.dynamodb.snoozes import DynamoSnoozes
from chalicelib.adapters.dynamodb.tables import (
    BATCH_DELAYS,
    TRANSACTION_DELAYS,
    send_until_accepted,
    transact,
)
from chalicelib.adapters.dynamodb.work import DynamoLease, DynamoWork
from chalicelib.domain.errors import Conflict, Forbidden, ServiceError, Unavailable
from chalicelib.domain.history import NO_FACTS, Mark
from chalicelib.usecases.ports import Selection, Settlement, Staged
from tests.contract.samples import (
    MINUTE,
    NOW,
    make_finding,
    make_job,
    make_message,
    make_snooze,
    make_snooze_event,
)
from tests.contract.stores import Tables, build_stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3
    from mypy_boto3_dynamodb.service_resource import Table

ANY_ROWS = {"RequestItems": ANY}
MARK = Mark("scan-1#00001", "scan-1", ())


@pytest.fixture
def table(aws_session: boto3.Session) -> Iterator[Table]:
    resource = aws_session.resource("dynamodb")
    with closing(resource.meta.client):
        yield resource.Table("table")


@pytest.fixture
def stub(table: Table) -> Iterator[Stubber]:
    with Stubber(table.meta.client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


class FakeSleep:
    """Records how long it would sleep."""

    def __init__(self) -> None:
        self.naps: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.naps.append(seconds)


def cancel(stub: Stubber, *reasons: str) -> None:
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": reason} for reason in reasons]},
    )


def test_unprocessed_writes_are_sent_again_without_the_others(table: Table, stub: Stubber) -> None:
    sent: list[Any] = []
    table.meta.client.meta.events.register(
        "provide-client-params", lambda params, **_: sent.append(params["RequestItems"]["table"])
    )
    unprocessed = {"table": [{"DeleteRequest": {"Key": {"finding_id": {"S": "b"}}}}]}
    stub.add_response("batch_write_item", {"UnprocessedItems": unprocessed}, ANY_ROWS)
    stub.add_response("batch_write_item", {"UnprocessedItems": {}}, ANY_ROWS)
    DynamoFindings(table).delete(["a", "b", "c"])

    assert [[each["DeleteRequest"]["Key"]["finding_id"] for each in part] for part in sent] == [
        ["a", "b", "c"],
        ["b"],
    ]


def test_unprocessed_reads_are_requested_again(table: Table, stub: Stubber) -> None:
    def build_row(number: int) -> dict[str, Any]:
        one = make_finding(number)
        names = ("finding_id", "instance_id", "title", "control_id", "scan_id", "severity")
        texts = {name: {"S": str(getattr(one, name))} for name in names}
        return {**texts, "first_seen": {"S": one.first_seen.isoformat()}}

    one, other = make_finding(1), make_finding(2)
    unprocessed = {
        "table": {"Keys": [{"finding_id": {"S": other.finding_id}}], "ConsistentRead": True}
    }
    stub.add_response(
        "batch_get_item",
        {"Responses": {"table": [build_row(1)]}, "UnprocessedKeys": unprocessed},
        ANY_ROWS,
    )
    stub.add_response(
        "batch_get_item", {"Responses": {"table": [build_row(2)]}, "UnprocessedKeys": {}}, ANY_ROWS
    )

    assert DynamoFindings(table).get([one.finding_id, other.finding_id]) == {
        one.finding_id: one,
        other.finding_id: other,
    }


def test_a_read_of_which_nothing_was_processed_is_requested_again(
    table: Table, stub: Stubber
) -> None:
    unprocessed = {"table": {"Keys": [{"finding_id": {"S": "a"}}]}}
    stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": unprocessed}, ANY_ROWS)
    stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": {}}, ANY_ROWS)

    assert DynamoFindings(table).get(["a"]) == {}


def test_unprocessed_rows_are_sent_at_growing_intervals_until_they_are_an_error() -> None:
    sleep, sent = FakeSleep(), []

    def refuse(part: list[str]) -> list[str]:
        sent.append(part)
        return part

    with pytest.raises(Unavailable, match="throttles findings: 2 rows"):
        send_until_accepted(refuse, ["a", "b"], "findings", sleep)
    assert sent == [["a", "b"]] * len(BATCH_DELAYS)
    assert sleep.naps == sorted(sleep.naps)
    assert all(
        0.5 * longest <= nap <= longest
        for longest, nap in zip(BATCH_DELAYS[1:], sleep.naps, strict=True)
    )


def test_a_transaction_is_repeated_after_a_conflict_with_another_one(
    table: Table, stub: Stubber
) -> None:
    sleep = FakeSleep()
    cancel(stub, "TransactionConflict", "None")
    stub.add_response("transact_write_items", {}, {"TransactItems": ANY})

    assert transact(table, [{"Put": {"Item": {"pk": "a", "sk": "b"}}}], sleep)
    assert sleep.naps == list(TRANSACTION_DELAYS[:1])


def test_a_transaction_that_always_conflicts_is_a_conflict(table: Table, stub: Stubber) -> None:
    sleep = FakeSleep()
    for _ in range(len(TRANSACTION_DELAYS) + 1):
        cancel(stub, "TransactionConflict")

    with pytest.raises(Conflict):
        transact(table, [{"Put": {"Item": {"pk": "a", "sk": "b"}}}], sleep)
    assert sleep.naps == list(TRANSACTION_DELAYS)


@pytest.mark.parametrize(
    ("reason", "error"), [("ThrottlingError", Unavailable), ("ValidationError", Forbidden)]
)
def test_a_refused_transaction_does_not_look_like_an_enqueued_job(
    table: Table, stub: Stubber, reason: str, error: type[ServiceError]
) -> None:
    cancel(stub, "None", reason)

    with pytest.raises(error):
        DynamoWork(table).enqueue(make_job("a"))


def test_a_failed_second_transaction_is_an_error(table: Table, stub: Stubber) -> None:
    stub.add_response("transact_write_items", {}, {"TransactItems": ANY})
    stub.add_client_error("transact_write_items", "ThrottlingException")
    completed = tuple(make_job(f"a#{number}") for number in range(60))

    with pytest.raises(Unavailable):
        DynamoWork(table).stage(Staged(message=make_message(1), completed=completed), NOW)


def build_facts(table: Table) -> DynamoFacts:
    return DynamoFacts(table, DynamoNodes(table), DynamoFindings(table))


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("put_item", lambda table: DynamoLease(table).acquire("a", NOW, NOW + MINUTE)),
        ("delete_item", lambda table: DynamoLease(table).release("a")),
        ("query", lambda table: DynamoTitles(table).all()),
        ("put_item", lambda table: build_facts(table).mark(MARK)),
        (
            "transact_write_items",
            lambda table: build_facts(table).settle(Settlement((), (), NO_FACTS)),
        ),
        ("put_item", lambda table: DynamoWork(table).record(make_message(1), NOW)),
        ("query", lambda table: DynamoWork(table).open()),
        ("query", lambda table: DynamoSnoozes(table).all()),
        ("get_item", lambda table: DynamoSnoozes(table).get("snooze-1")),
        ("transact_write_items", lambda table: DynamoSnoozes(table).save(make_snooze(1))),
        (
            "transact_write_items",
            lambda table: DynamoSnoozes(table).add(
                make_snooze(1), make_snooze_event(make_snooze(1))
            ),
        ),
        ("scan", lambda table: DynamoFindings(table).page(Selection(), None, 1)),
        ("query", lambda table: DynamoFindings(table).page(Selection("i-1"), None, 1)),
        ("scan", lambda table: DynamoNodes(table).page(None, 1)),
        ("query", lambda table: DynamoJournal(table).events_of("a")),
        ("query", lambda table: DynamoJournal(table).scans(None, 1)),
        ("query", lambda table: DynamoJournal(table).latest_monthly()),
        ("scan", lambda table: list(DynamoFindings(table).all())),
        ("batch_get_item", lambda table: DynamoFindings(table).get(["a"])),
        ("batch_write_item", lambda table: DynamoFindings(table).put([make_finding(1)])),
    ],
)
def test_throttling_is_unavailable_and_never_a_result(
    table: Table, stub: Stubber, operation: str, call: Callable[[Table], object]
) -> None:
    stub.add_client_error(operation, "ThrottlingException")

    with pytest.raises(Unavailable):
        call(table)


def test_a_missing_table_is_forbidden_and_the_error_says_what_to_do(tables: Tables) -> None:
    tables.ledger.delete()
    tables.findings.delete()
    stores = build_stores(tables)

    for call in (
        lambda: stores.lease.acquire("a", NOW, NOW + MINUTE),
        lambda: stores.lease.release("a"),
        lambda: stores.work.enqueue(make_job("a")),
        stores.work.open,
        lambda: stores.findings.put([make_finding(1)]),
        lambda: list(stores.findings.all()),
    ):
        with pytest.raises(Forbidden, match="create the table, or correct the setting"):
            call()


def test_an_incomplete_response_is_unavailable_and_not_empty(table: Table, stub: Stubber) -> None:
    stub.add_response("batch_write_item", {}, ANY_ROWS)

    with pytest.raises(Unavailable, match="without 'UnprocessedItems'"):
        DynamoFindings(table).delete(["a"])
