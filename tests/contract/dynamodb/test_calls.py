"""The calls to DynamoDB: as few as its limits allow, and consistent if they decide."""

from collections import Counter
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.history import NO_FACTS, EventKind, HistoryEvent, Mark
from chalicelib.domain.node import Node
from chalicelib.usecases.ports import Selection, Settlement, Staged
from tests.contract.samples import (
    MINUTE,
    NOW,
    POST,
    make_finding,
    make_job,
    make_message,
    make_scan_record,
    make_snooze,
    make_snooze_event,
)
from tests.contract.stores import Stores, Tables, build_stores

# Every engine gets the same requests.
pytestmark = pytest.mark.parametrize("tables", ["moto"], indirect=True)


class Requests:
    """The calls since the last `take`: operation and parameters."""

    def __init__(self, tables: Tables) -> None:
        self._calls: list[tuple[str, dict[str, Any]]] = []
        tables.ledger.meta.client.meta.events.register("provide-client-params", self._keep)

    def _keep(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self._calls.append((model.name, params))

    def take(self) -> list[tuple[str, dict[str, Any]]]:
        calls, self._calls = self._calls, []
        return calls

    def count(self) -> Counter[str]:
        return Counter(name for name, _ in self.take())


@pytest.fixture
def requests(tables: Tables) -> Requests:
    return Requests(tables)


@pytest.fixture
def stores(tables: Tables) -> Stores:
    return build_stores(tables)


@pytest.mark.parametrize(
    ("rows", "writes", "reads"), [(0, 0, 0), (1, 1, 1), (25, 1, 1), (100, 4, 1), (101, 5, 2)]
)
def test_batches_are_full(
    stores: Stores, requests: Requests, rows: int, writes: int, reads: int
) -> None:
    findings = [make_finding(number) for number in range(rows)]
    ids = [each.finding_id for each in findings]
    stores.findings.put(findings)
    assert requests.count()["BatchWriteItem"] == writes

    stores.findings.get(ids)
    assert requests.count()["BatchGetItem"] == reads

    stores.findings.delete(ids)
    assert requests.count()["BatchWriteItem"] == writes

    stores.nodes.put(Node(f"i-{number}") for number in range(rows))
    assert requests.count()["BatchWriteItem"] == writes

    stores.journal.write(HistoryEvent(each, NOW, EventKind.NEW, "scan-1") for each in ids)
    assert requests.count()["BatchWriteItem"] == writes


def test_a_repeated_row_is_written_once(stores: Stores, requests: Requests) -> None:
    stores.findings.put([make_finding(number % 25) for number in range(50)])
    assert requests.count() == {"BatchWriteItem": 1}


def test_an_ordinary_scan_makes_one_call_a_step(stores: Stores, requests: Requests) -> None:
    stores.lease.acquire("a", NOW, NOW + MINUTE)
    stores.work.enqueue(make_job("a"))
    stores.work.open()
    stores.snoozes.all()
    stores.nodes.all()
    stores.facts.mark(Mark("scan-1#1", "scan-1", ()))
    stores.facts.settle(Settlement((), (), NO_FACTS, ("scan-1#1",)))
    staged = Staged(
        make_message(1), completed=(make_job("a"),), channel_state=ChannelState(deferred=True)
    )
    stores.work.stage(replace(staged, scan=make_scan_record(1)), NOW)
    stores.work.record(make_message(1).with_receipt(POST, "1"), NOW)
    stores.lease.release("a")

    assert requests.count() == {
        "PutItem": 3,
        "TransactWriteItems": 3,
        "Query": 2,
        "Scan": 1,
        "DeleteItem": 1,
    }


def test_an_empty_decision_makes_no_call(stores: Stores, requests: Requests) -> None:
    stores.work.stage(Staged(), NOW)
    assert requests.take() == []


@pytest.mark.parametrize(
    ("jobs", "sizes"), [(0, [4]), (48, [100]), (49, [100, 2]), (120, [100, 100, 44])]
)
def test_transactions_are_full_and_keep_both_rows_of_a_job_together(
    stores: Stores, requests: Requests, jobs: int, sizes: list[int]
) -> None:
    settled = replace(make_snooze(1), settled_at=NOW, version=2)
    stores.snoozes.add(make_snooze(1), make_snooze_event(make_snooze(1)))
    requests.take()
    completed = tuple(make_job(f"a#{number}") for number in range(jobs))
    stores.work.stage(Staged(make_message(1), completed, (settled,), ChannelState()), NOW)

    calls = requests.take()
    assert [name for name, _ in calls] == ["TransactWriteItems"] * len(sizes)
    assert [len(params["TransactItems"]) for _, params in calls] == sizes


def test_reads_that_decide_are_consistent(stores: Stores, requests: Requests) -> None:
    list(stores.findings.all())
    stores.nodes.all()
    stores.work.open()
    stores.snoozes.all()
    stores.snoozes.get("snooze-1")
    assert [params["ConsistentRead"] for _, params in requests.take()] == [True] * 5

    stores.findings.get([make_finding(1).finding_id])
    ((_, params),) = requests.take()
    assert [asked["ConsistentRead"] for asked in params["RequestItems"].values()] == [True]


def test_an_index_is_read_eventually_consistently(stores: Stores, requests: Requests) -> None:
    stores.findings.page(Selection("i-1"), None, 50)
    stores.findings.page(Selection(title="title"), None, 50)

    assert [(params["IndexName"], "ConsistentRead" in params) for _, params in requests.take()] == [
        ("by_instance", False),
        ("by_title", False),
    ]


@pytest.mark.parametrize(
    ("selection", "name"),
    [
        (Selection(instance_id="i-0123456789abcdef0"), "Query"),
        (Selection(title="title"), "Query"),
        (Selection(), "Scan"),
    ],
)
def test_a_page_is_one_call_with_its_size_as_the_limit(
    stores: Stores, requests: Requests, selection: Selection, name: str
) -> None:
    stores.findings.put(make_finding(number) for number in range(120))
    stores.findings.put(make_finding(1, node=f"i-{number}", title="title") for number in range(120))
    requests.take()
    page = stores.findings.page(selection, None, 50)
    stores.findings.page(selection, page[-1].finding_id, 50)

    calls = requests.take()
    assert [(name, params["Limit"]) for name, params in calls] == [(name, 50)] * 2
    assert [params.get("ConsistentRead") for _, params in calls] == [None] * 2


def test_a_page_that_the_engine_ends_early_is_continued_with_the_rest(
    stores: Stores, requests: Requests
) -> None:
    stores.findings.put(
        replace(make_finding(number), control_id="c" * 10_000) for number in range(150)
    )
    requests.take()
    assert len(stores.findings.page(Selection(), None, 120)) == 120

    first, second = (params["Limit"] for _, params in requests.take())
    assert first == 120
    assert 0 < second < 30


def test_each_list_is_one_call(stores: Stores, requests: Requests) -> None:
    stores.journal.record(make_scan_record(1))
    requests.take()
    stores.nodes.page(None, 50)
    assert requests.count() == {"Scan": 1}

    # the nodes of a page of findings
    stores.nodes.get([f"i-{number}" for number in range(100)])
    ((name, params),) = requests.take()
    (request,) = params["RequestItems"].values()
    assert (name, request["ConsistentRead"]) == ("BatchGetItem", False)
    assert "open_list" not in request["ExpressionAttributeNames"].values()

    stores.archive.events_of(make_finding(1).finding_id)
    assert requests.count() == {"Query": 1}

    stores.archive.scans(None, 50)
    assert requests.count() == {"Query": 1}


def test_each_read_and_write_of_a_snooze_is_one_call(stores: Stores, requests: Requests) -> None:
    snooze, changed = make_snooze(1), replace(make_snooze(1), version=2)
    stores.snoozes.get("snooze-1")
    assert requests.count() == {"GetItem": 1}

    stores.snoozes.add(snooze, make_snooze_event(snooze))
    assert requests.count() == {"TransactWriteItems": 1}

    stores.snoozes.save(changed, make_snooze_event(changed))
    assert requests.count() == {"TransactWriteItems": 1}

    stores.snoozes.save(replace(changed, version=3))
    assert requests.count() == {"TransactWriteItems": 1}

    stores.snoozes.events("snooze-1")
    assert requests.count() == {"Query": 1}


def test_the_latest_month_is_looked_up_in_the_open_work_first_and_consistently(
    stores: Stores, requests: Requests
) -> None:
    stores.archive.latest_monthly()

    calls = requests.take()
    conditions = [params["KeyConditionExpression"].get_expression() for _, params in calls]
    partitions = [each["values"][0].get_expression()["values"][1] for each in conditions]
    assert partitions == ["OPEN", "MESSAGE"]
    assert [(name, params["ConsistentRead"]) for name, params in calls] == [("Query", True)] * 2
