"""Rows that an older version wrote: they are read once, and nothing of them is lost."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import BadRow
from chalicelib.domain.finding import finding_id
from chalicelib.domain.history import NO_FACTS
from chalicelib.usecases.ports import Staged
from tests.contract.samples import NOW, make_message
from tests.contract.stores import Tables, build_stores

OLD_NODE: dict[str, Any] = {
    "instance_id": "i-1",
    "executions": {
        "custom:inspec": {
            "execution_id": "run-1",
            "executed_at": "2026-11-23T08:00:00Z",
            "count": 2,
        }
    },
    "severities": {"HIGH": 2},
    "untitled": 0,
    "unverified_fingerprint": "",
}
OLD_MESSAGE = {
    "id": "scan-1",
    "created_at": "2026-11-23T08:00:00Z",
    "rendered": {"text": "2 new non-compliant findings", "blocks": [{"type": "divider"}]},
    "csv": {"key": "alerts/2026/11/23/scan-1.csv", "title": "Findings", "source": "scans"},
    "scan_ids": ["scan-1"],
    "snooze_ids": [],
}
OLD_STATE = {
    "unverified": ["i-1"],
    "deferred": False,
    "braked": False,
    "answered": {"a-1": "2026-11-23T08:00:00Z"},
}


def put_message(tables: Tables, done: dict[str, str]) -> None:
    content = json.dumps({**OLD_MESSAGE, "done": done})
    key = {"pk": "OPEN", "sk": "MESSAGE#2026-11-23T08:00:00.000000+00:00#scan-1"}
    tables.ledger.put_item(Item={**key, "id": "scan-1", "content": content})


def test_a_node_row_without_a_list_says_so(tables: Tables) -> None:
    tables.nodes.put_item(Item=OLD_NODE)
    stores = build_stores(tables)

    (node,) = stores.nodes.all()

    assert node.open_list is None
    assert node.open_findings == 2
    stores.nodes.put([replace(node, open_list=b"")])
    assert [each.open_list for each in stores.nodes.all()] == [b""]


@pytest.mark.parametrize(
    ("done", "pending"),
    [
        ({}, ["slack.post", "slack.file:scan-1.csv", "s3.store:scan-1.csv"]),
        ({"store": "key"}, ["slack.post", "slack.file:scan-1.csv"]),
        ({"store": "key", "post": "17.1"}, ["slack.file:scan-1.csv"]),
    ],
)
def test_a_message_that_waits_keeps_its_text_and_its_steps(
    tables: Tables, done: dict[str, str], pending: list[str]
) -> None:
    put_message(tables, done)

    (message,) = build_stores(tables).work.open().messages

    assert message.text == "2 new non-compliant findings"
    assert list(message.pending) == pending
    assert [file.key for file in message.files] == ["alerts/2026/11/23/scan-1.csv"]
    assert (message.scan_ids, message.files[0].stored) == (("scan-1",), "store" in done)
    # a post of an unknown channel: a file goes there without a thread
    assert message.done.get("slack.post", ":") == (":17.1" if "post" in done else ":")


def test_a_message_of_a_month_is_still_one(tables: Tables) -> None:
    content = json.dumps(
        {
            **OLD_MESSAGE,
            "id": "monthly-2026-11-01",
            "done": {"post": "1", "store": "m.csv", "file": "F"},
        }
    )
    key = {"pk": "MESSAGE", "sk": "monthly-2026-11-01"}
    tables.ledger.put_item(Item={**key, "id": "monthly-2026-11-01", "content": content})

    assert build_stores(tables).archive.latest_monthly() == "alerts/2026/11/23/scan-1.csv"


def test_what_the_channel_knows_and_unannounced_scans_are_read(tables: Tables) -> None:
    stores = build_stores(tables)
    state = {"pk": "OPEN", "sk": "CHANNEL", "content": json.dumps(OLD_STATE)}
    tables.ledger.put_item(Item=state)
    mark = {"pk": "OPEN", "sk": "UNANNOUNCED#scan-1", "scan_id": "scan-1"}
    tables.ledger.put_item(Item=mark)

    work = stores.work.open()

    assert work.channel_state.unverified == {"i-1"}
    assert work.channel_state.facts == NO_FACTS
    assert work.unannounced_scans == ("scan-1",)
    stores.work.stage(Staged(unannounced_scans=work.unannounced_scans), NOW)
    assert stores.work.open().unannounced_scans == ()


def test_history_without_a_finding_is_read(tables: Tables) -> None:
    key = finding_id("i-1", "A")
    row = {
        "pk": f"FINDING#{key}",
        "sk": "2026-11-23T08:00:00.000000+00:00#fixed",
        "finding_id": key,
        "at": "2026-11-23T08:00:00Z",
        "kind": "fixed",
        "scan_id": "scan-1",
    }
    tables.ledger.put_item(Item=row)

    (event,) = build_stores(tables).archive.events_of(key)
    assert (event.kind, event.finding) == ("fixed", None)


def test_a_message_of_a_newer_version_is_named(tables: Tables) -> None:
    stores = build_stores(tables)
    stores.work.stage(Staged(message=make_message(1)), NOW)
    (row,) = tables.ledger.scan(ConsistentRead=True)["Items"]
    tables.ledger.put_item(Item={**row, "row_version": 3})

    with pytest.raises(BadRow, match="a newer version of this service wrote it"):
        stores.work.open()
