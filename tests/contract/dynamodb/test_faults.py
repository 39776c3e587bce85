"""What happens when DynamoDB leaves work over, is too busy, or refuses."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY, Stubber

from chalicelib.adapters.dynamodb.findings import DynamoFindings
from chalicelib.adapters.dynamodb.journal import DynamoJournal
from chalicelib.adapters.dynamodb.nodes import DynamoNodes
from chalicelib.adapters.dynamodb.snoozes import DynamoSnoozes
from chalicelib.adapters.dynamodb.tables import (
    BATCH_DELAYS,
    TRANSACTION_DELAYS,
    send_until_accepted,
    transact,
)
from chalicelib.adapters.dynamodb.work import DynamoLease, DynamoWork
from chalicelib.domain.errors import Conflict, Forbidden, ServiceError, Unavailable
from chalicelib.usecases.ports import Selection, Staged
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

ANYTHING = {"RequestItems": ANY}


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


class Pauses:
    """Keeps how long it was to wait, and does not wait."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def cancelled(stub: Stubber, *reasons: str) -> None:
    stub.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": reason} for reason in reasons]},
    )


def test_writes_left_over_are_sent_again_alone(table: Table, stub: Stubber) -> None:
    kept: list[Any] = []
    table.meta.client.meta.events.register(
        "provide-client-params", lambda params, **_: kept.append(params["RequestItems"]["table"])
    )
    left = {"table": [{"DeleteRequest": {"Key": {"finding_id": {"S": "b"}}}}]}
    stub.add_response("batch_write_item", {"UnprocessedItems": left}, ANYTHING)
    stub.add_response("batch_write_item", {"UnprocessedItems": {}}, ANYTHING)
    DynamoFindings(table).delete(["a", "b", "c"])

    assert [[each["DeleteRequest"]["Key"]["finding_id"] for each in part] for part in kept] == [
        ["a", "b", "c"],
        ["b"],
    ]


def test_readings_left_over_are_asked_for_again(table: Table, stub: Stubber) -> None:
    def row(number: int) -> dict[str, Any]:
        one = make_finding(number)
        names = ("finding_id", "instance_id", "title", "control_id", "scan_id", "severity")
        texts = {name: {"S": str(getattr(one, name))} for name in names}
        return {**texts, "first_seen": {"S": one.first_seen.isoformat()}}

    one, other = make_finding(1), make_finding(2)
    left = {"table": {"Keys": [{"finding_id": {"S": other.finding_id}}], "ConsistentRead": True}}
    stub.add_response(
        "batch_get_item", {"Responses": {"table": [row(1)]}, "UnprocessedKeys": left}, ANYTHING
    )
    stub.add_response(
        "batch_get_item", {"Responses": {"table": [row(2)]}, "UnprocessedKeys": {}}, ANYTHING
    )

    assert DynamoFindings(table).get([one.finding_id, other.finding_id]) == {
        one.finding_id: one,
        other.finding_id: other,
    }


def test_nothing_done_at_all_is_asked_for_again_too(table: Table, stub: Stubber) -> None:
    left = {"table": {"Keys": [{"finding_id": {"S": "a"}}]}}
    stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": left}, ANYTHING)
    stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": {}}, ANYTHING)

    assert DynamoFindings(table).get(["a"]) == {}


def test_leftovers_are_sent_ever_more_slowly_and_given_up_in_the_end() -> None:
    pauses, sent = Pauses(), []

    def refuse(part: list[str]) -> list[str]:
        sent.append(part)
        return part

    with pytest.raises(Unavailable, match="throttles findings: 2 rows"):
        send_until_accepted(refuse, ["a", "b"], "findings", pauses)
    assert sent == [["a", "b"]] * len(BATCH_DELAYS)
    assert pauses.taken == sorted(pauses.taken)
    assert all(
        0.5 * most <= taken <= most
        for most, taken in zip(BATCH_DELAYS[1:], pauses.taken, strict=True)
    )


def test_a_transaction_waits_for_another_one(table: Table, stub: Stubber) -> None:
    pauses = Pauses()
    cancelled(stub, "TransactionConflict", "None")
    stub.add_response("transact_write_items", {}, {"TransactItems": ANY})

    assert transact(table, [{"Put": {"Item": {"pk": "a", "sk": "b"}}}], pauses)
    assert pauses.taken == list(TRANSACTION_DELAYS[:1])


def test_a_transaction_gives_way_to_others_in_the_end(table: Table, stub: Stubber) -> None:
    pauses = Pauses()
    for _ in range(len(TRANSACTION_DELAYS) + 1):
        cancelled(stub, "TransactionConflict")

    with pytest.raises(Conflict):
        transact(table, [{"Put": {"Item": {"pk": "a", "sk": "b"}}}], pauses)
    assert pauses.taken == list(TRANSACTION_DELAYS)


@pytest.mark.parametrize(
    ("reason", "error"), [("ThrottlingError", Unavailable), ("ValidationError", Forbidden)]
)
def test_a_transaction_that_is_refused_is_no_debt_written_before(
    table: Table, stub: Stubber, reason: str, error: type[ServiceError]
) -> None:
    cancelled(stub, "None", reason)
    with pytest.raises(error):
        DynamoWork(table).enqueue(make_job("a"))


def test_a_follow_up_that_fails_leaves_the_decision_standing(table: Table, stub: Stubber) -> None:
    stub.add_response("transact_write_items", {}, {"TransactItems": ANY})
    stub.add_client_error("transact_write_items", "ThrottlingException")
    completed = tuple(make_job(f"a#{number}") for number in range(60))

    with pytest.raises(Unavailable):
        DynamoWork(table).stage(Staged(message=make_message(1), completed=completed), NOW)


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("put_item", lambda table: DynamoLease(table).acquire("a", NOW, NOW + MINUTE)),
        ("delete_item", lambda table: DynamoLease(table).release("a")),
        ("put_item", lambda table: DynamoWork(table).mark_unannounced("scan-1")),
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
def test_throttling_is_unavailable_and_never_an_answer(
    table: Table, stub: Stubber, operation: str, call: Callable[[Table], object]
) -> None:
    stub.add_client_error(operation, "ThrottlingException")
    with pytest.raises(Unavailable):
        call(table)


def test_a_missing_table_is_forbidden_and_says_what_to_mend(tables: Tables) -> None:
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


def test_an_answer_that_is_none_is_unavailable_and_no_empty_one(
    table: Table, stub: Stubber
) -> None:
    stub.add_response("batch_write_item", {}, ANYTHING)
    with pytest.raises(Unavailable, match="without 'UnprocessedItems'"):
        DynamoFindings(table).delete(["a"])
