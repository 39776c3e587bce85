from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

import pytest
from botocore.config import Config

from chalicelib.adapters.ssm_compliance import SsmCompliance
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

Said = tuple[str | None, str | None, str]


class Fleet(Protocol):
    """Nodes that report, and the `Compliance` that hears of them."""

    @property
    def compliance(self) -> Compliance: ...

    def report(
        self,
        node: str,
        compliance_type: str,
        execution: Execution,
        said: Sequence[Said],
        compliant: int,
    ) -> None: ...

    def forget(self, node: str) -> None: ...

    def fail_items(self, node: str) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.compliance = MemoryCompliance()

    def report(
        self,
        node: str,
        compliance_type: str,
        execution: Execution,
        said: Sequence[Said],
        compliant: int,
    ) -> None:
        run = execution.execution_id
        items = [Item(compliance_type, run, *each) for each in said]
        self.compliance.put(
            node, compliance_type, run, execution.executed_at, items, compliant=compliant
        )

    def forget(self, node: str) -> None:
        self.compliance.remove(node)

    def fail_items(self, node: str) -> None:
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
        said: Sequence[Said],
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
            Items=[*map(entry, said), *[passing] * compliant],
        )

    def forget(self, node: str) -> None:
        find_store().forget(node)

    def fail_items(self, node: str) -> None:
        assert node
        find_store().fail_next("ListComplianceItems", "ThrottlingException")


def entry(said: Said) -> "ComplianceItemEntryTypeDef":
    item_id, title, severity = said
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


def said(count: int) -> list[Said]:
    return [(f"control-{each}", f"title {each}", "HIGH") for each in range(count)]


def run(count: int, execution_id: str = "run-1", at: datetime = RAN) -> Execution:
    return Execution(execution_id, at, count)


def test_a_fleet_that_never_reported_is_empty(fleet: Fleet) -> None:
    assert list(fleet.compliance.summaries()) == []
    assert list(fleet.compliance.items(NODE, [TYPE])) == []


def test_a_report_is_a_row_and_its_items(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, run(2), said(2), compliant=3)
    assert list(fleet.compliance.summaries()) == [SummaryRow(NODE, TYPE, run(2), compliant=3)]
    assert list(fleet.compliance.items(NODE, [TYPE])) == [
        Item(TYPE, "run-1", "control-0", "title 0", "HIGH"),
        Item(TYPE, "run-1", "control-1", "title 1", "HIGH"),
    ]


def test_a_report_of_nothing_is_a_row(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, run(0), [], compliant=0)
    (row,) = fleet.compliance.summaries()
    assert row.checked_nothing


def test_a_report_replaces_the_one_before(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, run(2), said(2), compliant=0)
    fleet.report(NODE, TYPE, run(1, "run-2", LATER), said(1), compliant=1)
    assert list(fleet.compliance.summaries()) == [
        SummaryRow(NODE, TYPE, run(1, "run-2", LATER), compliant=1)
    ]
    assert [each.execution_id for each in fleet.compliance.items(NODE, [TYPE])] == ["run-2"]


def test_spellings_are_kept_apart(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, run(1), said(1), compliant=1)
    fleet.report(NODE, SPELT, run(2, "run-2"), said(2), compliant=1)
    rows = fleet.compliance.summaries()
    assert {row.compliance_type: row.execution.count for row in rows} == {TYPE: 1, SPELT: 2}
    assert {each.compliance_type for each in fleet.compliance.items(NODE, [SPELT])} == {SPELT}
    assert len(fleet.compliance.items(NODE, [TYPE, SPELT])) == 3


def test_nodes_are_kept_apart(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, run(1), said(1), compliant=1)
    fleet.report(OTHER, TYPE, run(2), said(2), compliant=1)
    assert {row.instance_id for row in fleet.compliance.summaries()} == {NODE, OTHER}
    assert len(fleet.compliance.items(OTHER, [TYPE])) == 2


def test_doubles_and_gaps_are_left_as_they_are(fleet: Fleet) -> None:
    odd: list[Said] = [
        ("a", "same title", "HIGH"),
        ("b", "same title", "LOW"),
        (None, "no id", "LOW"),
        ("no-title", None, "LOW"),
    ]
    fleet.report(NODE, TYPE, run(4), odd, compliant=0)
    found = fleet.compliance.items(NODE, [TYPE])
    assert [(each.item_id, each.title, each.severity) for each in found] == odd


def test_a_node_that_is_forgotten_leaves_no_row(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, run(1), said(1), compliant=1)
    fleet.forget(NODE)
    assert list(fleet.compliance.summaries()) == []
    assert list(fleet.compliance.items(NODE, [TYPE])) == []


def test_a_reading_that_failed_may_be_tried_again(fleet: Fleet) -> None:
    fleet.report(NODE, TYPE, run(1), said(1), compliant=1)
    fleet.fail_items(NODE)
    with pytest.raises(Unavailable, match=NODE):
        fleet.compliance.items(NODE, [TYPE])
    assert len(fleet.compliance.items(NODE, [TYPE])) == 1


def test_items_are_read_from_threads(fleet: Fleet) -> None:
    nodes = [f"i-{number:017x}" for number in range(8)]
    for count, node in enumerate(nodes):
        fleet.report(node, TYPE, run(count), said(count), compliant=1)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda node: len(fleet.compliance.items(node, [TYPE])), nodes))
    assert found == list(range(8))
