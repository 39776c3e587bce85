"""SSM and DynamoDB of any size that generate their rows on request and keep nothing.

They replace the vendor's clients, so that our adapters do all their work.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from boto3.dynamodb.types import Binary

from bench.simulation.fleet import (
    FINDINGS_A_NODE,
    SEVERITIES,
    TITLES,
    TYPE,
    make_instance_id,
)
from chalicelib.adapters.dynamodb.tables import ROW_VERSION, Row, to_text
from chalicelib.adapters.ssm import MANAGED_INSTANCE, PAGE_SIZE
from chalicelib.domain.finding import Entry, Finding, count_by_severity, pack_list

# All nodes of a fleet report within these seconds.
SPREAD = 300
# Rows of a page of the tables.
ROWS_PER_PAGE = 2_300


@dataclass(frozen=True, slots=True)
class GeneratedFleet:
    """Nodes that ran their checks at `at`. Each shows 20 items out of 100 titles."""

    nodes: int
    at: datetime

    def make_execution_id(self, number: int) -> str:
        """The execution id of a node."""
        return f"{number:08x}-5d0a-4ab0-9b96-{number:012x}"

    def compute_executed_at(self, number: int) -> datetime:
        """The execution time of a node."""
        return self.at + timedelta(seconds=number % SPREAD)

    def choose_control(self, number: int, item: int) -> int:
        """The control of a node's item."""
        return (number + item) % TITLES

    def generate_node_rows(self, each: int = FINDINGS_A_NODE) -> Iterator[Row]:
        """The nodes table after a complete scan that found `each` findings on every node."""
        for number in range(self.nodes):
            controls = [self.choose_control(number, item) for item in range(each)]
            severities = map(choose_severity, controls)
            yield {
                "instance_id": make_instance_id(number),
                "executions": {
                    TYPE.casefold(): {
                        "execution_id": self.make_execution_id(number),
                        "executed_at": to_text(self.compute_executed_at(number)),
                        "count": Decimal(each),
                    }
                },
                "severities": {
                    str(worst): Decimal(count)
                    for worst, count in count_by_severity(severities).items()
                },
                "open_list": Binary(self._pack_list(number, controls)),
                "row_version": Decimal(ROW_VERSION),
            }

    def _pack_list(self, number: int, controls: Sequence[int]) -> bytes:
        node, at = make_instance_id(number), self.compute_executed_at(number)
        findings = (
            Finding(node, make_title(each), choose_severity(each), f"control-{each:03d}", at, "")
            for each in controls
        )
        return pack_list(map(Entry.of, findings))


def make_title(control: int) -> str:
    """The title of a control."""
    return f"control {control:03d}: what this must be like on every node of the fleet"


def choose_severity(control: int) -> Any:
    """The severity of a control."""
    return SEVERITIES[control % len(SEVERITIES)]


class GeneratedSsm:
    """An SSM client over a fleet. Calls `on_items` before it lists the items of a node."""

    def __init__(self, fleet: GeneratedFleet, on_items: Callable[[], object]) -> None:
        self._fleet = fleet
        self._on_items = on_items

    def get_paginator(self, operation: str) -> "Pages":
        """The paginator of either listing."""
        if operation == "list_resource_compliance_summaries":
            return Pages(self._list_summaries)
        return Pages(self._list_items)

    def _list_summaries(self, **_: object) -> Iterator[Mapping[str, Any]]:
        rows = map(self._make_summary, range(self._fleet.nodes))
        return _cut_pages(rows, PAGE_SIZE, "ResourceComplianceSummaryItems")

    def _make_summary(self, number: int) -> dict[str, Any]:
        return {
            "ComplianceType": "".join(TYPE),
            "ResourceType": MANAGED_INSTANCE,
            "ResourceId": make_instance_id(number),
            "ExecutionSummary": self._make_execution(number),
            "CompliantSummary": {"CompliantCount": 80},
            "NonCompliantSummary": {"NonCompliantCount": FINDINGS_A_NODE},
        }

    def _list_items(self, **request: Any) -> Iterator[Mapping[str, Any]]:
        self._on_items()
        number = int(request["ResourceIds"][0].removeprefix("i-"), 16)
        controls = (self._fleet.choose_control(number, item) for item in range(FINDINGS_A_NODE))
        rows = (
            {
                "ComplianceType": TYPE,
                "ResourceId": make_instance_id(number),
                "Id": f"control-{control:03d}",
                "Title": make_title(control),
                "Status": "NON_COMPLIANT",
                "Severity": str(choose_severity(control)),
                "ExecutionSummary": self._make_execution(number),
            }
            for control in controls
        )
        return _cut_pages(rows, PAGE_SIZE, "ComplianceItems")

    def _make_execution(self, number: int) -> dict[str, Any]:
        fleet = self._fleet
        return {
            "ExecutionTime": fleet.compute_executed_at(number),
            "ExecutionId": fleet.make_execution_id(number),
            "ExecutionType": "Command",
        }


class GeneratedTable:
    """A DynamoDB table that generates rows for a Scan, and accepts writes without keeping them.

    It is its own client. Queries and reads by key find nothing.
    """

    def __init__(self, rows: Callable[[], Iterable[Row]] = tuple) -> None:
        self.name = "generated"
        self._rows = rows

    @property
    def meta(self) -> "GeneratedTable":
        """The holder of the client."""
        return self

    @property
    def client(self) -> "GeneratedTable":
        """The client."""
        return self

    def get_paginator(self, operation: str) -> "Pages":
        """A paginator with every row for a Scan, and with none for a query."""
        rows = self._rows if operation == "scan" else tuple
        return Pages(lambda **_: _cut_pages(rows(), ROWS_PER_PAGE, "Items"))

    def batch_get_item(self, **_: object) -> dict[str, Any]:
        """Find nothing."""
        return {"Responses": {}, "UnprocessedKeys": {}}

    def batch_write_item(self, **_: object) -> dict[str, Any]:
        """Accept all rows."""
        return {"UnprocessedItems": {}}

    def put_item(self, **_: object) -> dict[str, Any]:
        """Accept the row."""
        return {}


@dataclass(frozen=True, slots=True)
class Pages:
    """A paginator."""

    paginate: Callable[..., Iterator[Mapping[str, Any]]]


def _cut_pages(rows: Iterable[Row], size: int, name: str) -> Iterator[Mapping[str, Any]]:
    """Pages of `size` rows, then an empty page, which both services may send."""
    rest = iter(rows)
    while page := list(islice(rest, size)):
        yield {name: page}
    yield {name: []}
