"""SSM and DynamoDB of any size that keep nothing: rows are made when they are asked for.

They stand where the vendor's clients stand, so that our adapters do their whole work on them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from bench.simulation.fleet import EACH, SEVERITIES, TITLES, TYPE, instance_id
from chalicelib.adapters.ssm_compliance import MANAGED_INSTANCE, PAGE_SIZE
from chalicelib.aws.dynamodb_pages import Row
from chalicelib.aws.dynamodb_times import to_text
from chalicelib.domain.node import count_by_severity
from chalicelib.usecases.lookup import ROWS_A_PAGE

# Seconds within which all nodes of a fleet report.
SPREAD = 300


@dataclass(frozen=True, slots=True)
class GeneratedFleet:
    """Nodes that ran their checks at `at`; each shows 20 items of 100 titles."""

    nodes: int
    at: datetime

    def execution_id(self, number: int) -> str:
        """The run of a node."""
        return f"{number:08x}-5d0a-4ab0-9b96-{number:012x}"

    def executed_at(self, number: int) -> datetime:
        """When a node reported."""
        return self.at + timedelta(seconds=number % SPREAD)

    def control(self, number: int, item: int) -> int:
        """Which of the titles the item of a node has."""
        return (number + item) % TITLES

    def node_rows(self, each: int = EACH) -> Iterator[Row]:
        """The nodes table, as a complete scan leaves it that found so many on each node."""
        for number in range(self.nodes):
            shown = (severity(self.control(number, item)) for item in range(each))
            yield {
                "instance_id": instance_id(number),
                "executions": {
                    TYPE.casefold(): {
                        "execution_id": self.execution_id(number),
                        "executed_at": to_text(self.executed_at(number)),
                        "count": Decimal(each),
                    }
                },
                "severities": {
                    str(worst): Decimal(count) for worst, count in count_by_severity(shown).items()
                },
                "untitled": Decimal(0),
                "unverified_fingerprint": "",
            }


def title(control: int) -> str:
    """The title of a control."""
    return f"control {control:03d}: what this must be like on every node of the fleet"


def severity(control: int) -> Any:
    """The severity of a control."""
    return SEVERITIES[control % len(SEVERITIES)]


class GeneratedSsm:
    """An SSM client of a fleet; `asked` is called before each page of items."""

    def __init__(self, fleet: GeneratedFleet, asked: Callable[[], object]) -> None:
        self._fleet = fleet
        self._asked = asked

    def get_paginator(self, operation: str) -> "Pages":
        """The pages of either listing."""
        if operation == "list_resource_compliance_summaries":
            return Pages(self._summaries)
        return Pages(self._items)

    def _summaries(self, **_: object) -> Iterator[Mapping[str, Any]]:
        rows = map(self._summary, range(self._fleet.nodes))
        return _pages(rows, PAGE_SIZE, "ResourceComplianceSummaryItems")

    def _summary(self, number: int) -> dict[str, Any]:
        return {
            "ComplianceType": "".join(TYPE),
            "ResourceType": MANAGED_INSTANCE,
            "ResourceId": instance_id(number),
            "ExecutionSummary": self._ran(number),
            "CompliantSummary": {"CompliantCount": 80},
            "NonCompliantSummary": {"NonCompliantCount": EACH},
        }

    def _items(self, **asked: Any) -> Iterator[Mapping[str, Any]]:
        self._asked()
        number = int(asked["ResourceIds"][0].removeprefix("i-"), 16)
        controls = (self._fleet.control(number, item) for item in range(EACH))
        rows = (
            {
                "ComplianceType": TYPE,
                "ResourceId": instance_id(number),
                "Id": f"control-{control:03d}",
                "Title": title(control),
                "Status": "NON_COMPLIANT",
                "Severity": str(severity(control)),
                "ExecutionSummary": self._ran(number),
            }
            for control in controls
        )
        return _pages(rows, PAGE_SIZE, "ComplianceItems")

    def _ran(self, number: int) -> dict[str, Any]:
        fleet = self._fleet
        return {
            "ExecutionTime": fleet.executed_at(number),
            "ExecutionId": fleet.execution_id(number),
            "ExecutionType": "Command",
        }


class GeneratedTable:
    """A DynamoDB table that is scanned and takes writes, of which it keeps nothing.

    It is its own client; queries and keys find nothing.
    """

    def __init__(self, rows: Callable[[], Iterable[Row]] = tuple) -> None:
        self.name = "generated"
        self._rows = rows

    @property
    def meta(self) -> "GeneratedTable":
        """What holds the client."""
        return self

    @property
    def client(self) -> "GeneratedTable":
        """The client."""
        return self

    def get_paginator(self, operation: str) -> "Pages":
        """Every row for a scan, no row for a query."""
        rows = self._rows if operation == "scan" else tuple
        return Pages(lambda **_: _pages(rows(), ROWS_A_PAGE, "Items"))

    def batch_get_item(self, **_: object) -> dict[str, Any]:
        """Nothing is found."""
        return {"Responses": {}, "UnprocessedKeys": {}}

    def batch_write_item(self, **_: object) -> dict[str, Any]:
        """All is taken."""
        return {"UnprocessedItems": {}}

    def put_item(self, **_: object) -> dict[str, Any]:
        """The row is taken."""
        return {}


@dataclass(frozen=True, slots=True)
class Pages:
    """A paginator."""

    paginate: Callable[..., Iterator[Mapping[str, Any]]]


def _pages(rows: Iterable[Row], size: int, name: str) -> Iterator[Mapping[str, Any]]:
    """Pages of so many rows, and an empty one at the end, as both services may send it."""
    rest = iter(rows)
    while page := list(islice(rest, size)):
        yield {name: page}
    yield {name: []}
