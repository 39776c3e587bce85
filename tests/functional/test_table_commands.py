"""Tables: imported from an older program, and overwritten with a restored copy."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chalicelib.adapters.dynamodb.inventory import DynamoFindings, DynamoNodes
from chalicelib.domain.finding import finding_id
from chalicelib.domain.node import Node
from devstack.aws.resources import create_resources
from devstack.aws.session import make_session
from tests.functional.desk import Desk, new_desk

pytestmark = pytest.mark.enable_socket

OLD = "old-findings"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with new_desk(tmp_path) as desk:
        create_resources(desk.aws.url, "dev")
        with closing(make_session().client("dynamodb", endpoint_url=desk.aws.url)) as client:
            for name, key in ((OLD, "md5hash"), ("restored-nodes", "instance_id")):
                client.create_table(
                    TableName=name,
                    BillingMode="PAY_PER_REQUEST",
                    AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                    KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                )
        yield desk


def table(desk: Desk, name: str) -> Any:
    return make_session().resource("dynamodb", endpoint_url=desk.aws.url).Table(name)


def findings(desk: Desk) -> list[str]:
    return sorted(each.title for each in DynamoFindings(table(desk, f"{DEV}-findings")).all())


DEV = "ec2-inspec-scan-dev"


def test_an_old_table_can_be_counted_and_then_imported_once(desk: Desk) -> None:
    old = table(desk, OLD)
    for title in ("A", "B"):
        row = {"md5hash": finding_id("i-1", title), "instance": "i-1", "title": title}
        old.put_item(Item=row)
    old.put_item(Item={"md5hash": "broken"})
    asked = ("--stage", "dev", "--from", OLD)
    code, output, errors = desk.run("take-over", *asked, "--dry-run", **desk.account)
    assert (code, errors) == (0, "")
    assert "2 findings on 1 nodes would be imported" in output
    assert findings(desk) == []
    code, output, errors = desk.run("take-over", *asked, **desk.account)
    assert (code, errors) == (0, "")
    assert output.splitlines() == [
        "2 findings on 1 nodes imported",
        "1 rows without an instance or a title skipped:",
        "  broken",
    ]
    assert findings(desk) == ["A", "B"]
    code, _, errors = desk.run("take-over", *asked, **desk.account)
    assert code == 1
    assert "already holds 1 nodes" in errors


def test_a_missing_old_table_is_reported_in_one_line(desk: Desk) -> None:
    asked = ("--stage", "dev", "--from", "absent")
    code, _, errors = desk.run("take-over", *asked, **desk.account)
    assert code == 1
    assert len(errors.splitlines()) == 1
    assert "absent" in errors


def test_a_table_is_overwritten_only_after_confirmation(desk: Desk) -> None:
    nodes = DynamoNodes(table(desk, f"{DEV}-nodes"))
    nodes.put([Node("i-1"), Node("i-2")])
    DynamoNodes(table(desk, "restored-nodes")).put([Node("i-1", untitled=3)])
    asked = ("--stage", "dev", "--table", "nodes", "--from", "restored-nodes")
    code, _, errors = desk.run("restore", *asked, **desk.account)
    assert (code, "set YES=1 to confirm" in errors) == (1, True)
    assert len(nodes.all()) == 2
    code, output, errors = desk.run("restore", *asked, **desk.account, YES="1")
    assert (code, errors) == (0, "")
    assert "1 rows written, 1 rows deleted" in output
    # the next scan takes its list from the findings table
    assert nodes.all() == (Node("i-1", untitled=3, open_list=None),)
