from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import pytest
from botocore.config import Config

from chalicelib.adapters.ssm import SsmCompliance
from chalicelib.domain.compliance import Execution, Item, SummaryRow
from chalicelib.domain.errors import Unavailable
from chalicelib.usecases.ports import Compliance
from devstack.aws.compliance_store import find_store
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from tests.fakes import MemoryCompliance

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_ssm.type_defs import ComplianceItemEntryTypeDef

pytestmark = pytest.mark.enable_socket

NODE, OTHER = "i-0123456789abcdef0", "mi-0123456789abcdef0"
TYPE, SPELT = "Custom:InSpec", "Custom:Inspec"
RAN = datetime(2026, 1, 31, 8, 0, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 1, 8, 0, 1, tzinfo=UTC)
NO_RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 1})

Entry = tuple[str | None, str | None, str]


class Fleet(Protocol):
    """Nodes that report, and the `Compliance` that reads their reports."""

    @property
    def compliance(self) -> Compliance: ...

    def report(
        self,
        node: str,
        compliance_type: str,
        execution: Execution,
        entries: Sequence[Entry],
        compliant: int,
    ) -> None: ...

    def remove(self, node: str) -> None: ...

    def fail_next_items(self, node: str) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.compliance = MemoryCompliance()

    def report(
        self,
        node: str,
        compliance_type: str,
        execution: Execution,
        entries: Sequence[Entry],
        compliant: int,
    ) -> None:
        run = execution.execution_id
        items = [Item(compliance_type, run, *each) for each in entries]
        self.compliance.put(
            node, compliance_type, run, execution.executed_at, items, compliant=compliant
        )

    def remove(self, node: str) -> None:
        self.compliance.remove(node)

    def fail_next_items(self, node: str) -> None:
        self.compliance.fail(node)


class OnAws:
    def __init__(self, ssm: "SSMClient") -> None:
        self.ssm = ssm
        self.compliance = SsmCompliance(ssm, (TYPE, SPELT))

    def report(
        self,
        node: str,
        compliance_type: str,
        execution: Execution,
        entries: Sequence[Entry],
        compliant: int,
    ) -> None:
        passing: ComplianceItemEntryTypeDef = {"Severity": "LOW", "Status": "COMPLIANT"}
        self.ssm.put_compliance_items(
            ResourceId=node,
            ResourceType="ManagedInstance",
            ComplianceType=compliance_type,
            ExecutionSummary={
                "ExecutionId": execution.execution_id,
                "ExecutionTime": execution.executed_at,
            },
            Items=[*map(build_entry, entries), *[passing] * compliant],
        )

    def remove(self, node: str) -> None:
        find_store().forget(node)

    def fail_next_items(self, node: str) -> None:
        assert node
        find_store().fail_next("ListComplianceItems", "ThrottlingException")


def build_entry(entry: Entry) -> "ComplianceItemEntryTypeDef":
    item_id, title, severity = entry
    given = {"Id": item_id, "Title": title, "Severity": severity, "Status": "NON_COMPLIANT"}
    return {key: value for key, value in given.items() if value is not None}  # type: ignore[return-value] # keys as above


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def ssm(server: AwsServer) -> Iterator["SSMClient"]:
    session = make_session()
    with closing(session.client("ssm", endpoint_url=server.url, config=NO_RETRIES)) as client:
        yield client


@pytest.fixture(params=["memory", "aws"])
def fleet(request: pytest.FixtureRequest, server: AwsServer, ssm: "SSMClient") -> Fleet:
    server.reset()
    return InMemory() if request.param == "memory" else OnAws(ssm)


def make_entries(count: int) -> list[Entry]:
    return [(f"control-{each}", f"title {each}", "HIGH") for each in range(count)]


def make_run(count: int, execution_id: str = "run-1", at: datetime = RAN) -> Execution:
    return Execution(execution_id, at, count)


def test_without_a_report_there_are_no_rows_and_no_items(fleet: Fleet) -> None:
    assert list(fleet.compliance.summaries()) == []
    assert list(fleet.compliance.items(NODE, [TYPE])) == []


def test_a_report_is_a_row_and_its_items(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, make_run(2), make_entries(2), compliant=3)

    assert list(fleet.compliance.summaries()) == [SummaryRow(NODE, TYPE, make_run(2), compliant=3)]
    assert list(fleet.compliance.items(NODE, [TYPE])) == [
        Item(TYPE, "run-1", "control-0", "title 0", "HIGH"),
        Item(TYPE, "run-1", "control-1", "title 1", "HIGH"),
    ]


def test_a_report_without_items_is_a_row(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, make_run(0), [], compliant=0)
    (row,) = fleet.compliance.summaries()

    assert row.checked_nothing


def test_a_report_replaces_the_earlier_one(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, make_run(2), make_entries(2), compliant=0)
    fleet.report(NODE, TYPE, make_run(1, "run-2", LATER), make_entries(1), compliant=1)

    assert list(fleet.compliance.summaries()) == [
        SummaryRow(NODE, TYPE, make_run(1, "run-2", LATER), compliant=1)
    ]
    assert [each.execution_id for each in fleet.compliance.items(NODE, [TYPE])] == ["run-2"]


def test_each_spelling_of_a_type_has_its_own_row_and_items(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, make_run(1), make_entries(1), compliant=1)
    fleet.report(NODE, SPELT, make_run(2, "run-2"), make_entries(2), compliant=1)

    rows = fleet.compliance.summaries()

    assert {row.compliance_type: row.execution.count for row in rows} == {TYPE: 1, SPELT: 2}
    assert {each.compliance_type for each in fleet.compliance.items(NODE, [SPELT])} == {SPELT}
    assert len(fleet.compliance.items(NODE, [TYPE, SPELT])) == 3


def test_each_node_has_its_own_row_and_items(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, make_run(1), make_entries(1), compliant=1)
    fleet.report(OTHER, TYPE, make_run(2), make_entries(2), compliant=1)

    assert {row.instance_id for row in fleet.compliance.summaries()} == {NODE, OTHER}
    assert len(fleet.compliance.items(OTHER, [TYPE])) == 2


def test_repeated_and_incomplete_items_are_read_unchanged(fleet: Fleet) -> None:
    odd: list[Entry] = [
        ("a", "same title", "HIGH"),
        ("b", "same title", "LOW"),
        (None, "no id", "LOW"),
        ("no-title", None, "LOW"),
    ]
    fleet.report(NODE, TYPE, make_run(4), odd, compliant=0)

    found = fleet.compliance.items(NODE, [TYPE])

    assert [(each.item_id, each.title, each.severity) for each in found] == odd


def test_a_removed_node_has_no_row_and_no_items(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, make_run(1), make_entries(1), compliant=1)
    fleet.remove(NODE)

    assert list(fleet.compliance.summaries()) == []
    assert list(fleet.compliance.items(NODE, [TYPE])) == []


def test_a_failed_read_can_be_retried(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, make_run(1), make_entries(1), compliant=1)
    fleet.fail_next_items(NODE)

    with pytest.raises(Unavailable, match=NODE):
        fleet.compliance.items(NODE, [TYPE])

    assert len(fleet.compliance.items(NODE, [TYPE])) == 1


def test_items_can_be_read_in_threads(fleet: Fleet) -> None:
    nodes = [f"i-{number:017x}" for number in range(8)]
    for count, node in enumerate(nodes):
        fleet.report(node, TYPE, make_run(count), make_entries(count), compliant=1)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda node: len(fleet.compliance.items(node, [TYPE])), nodes))

    assert found == list(range(8))
