"""SSM Compliance in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from msgspec.structs import replace

from chalicelib.domain.compliance import Doubt, Execution, Item, ItemList, SummaryRow
from chalicelib.domain.errors import Unavailable
from tests.fakes.faults import QueuedErrors

CopiedReport: TypeAlias = "tuple[dict[tuple[str, str], Any], ...]"


class MemoryCompliance:
    """`Compliance`. Nodes write their reports with `put`; `reads` shows which nodes were read.

    `page_size` is the number of items on a page.
    """

    def __init__(self, page_size: int = 50) -> None:
        self.page_size = page_size
        self.repeated: list[SummaryRow] = []
        self._rows: dict[tuple[str, str], SummaryRow] = {}
        self._items: dict[tuple[str, str], tuple[Item, ...]] = {}
        self._passed: dict[tuple[str, str], tuple[Item, ...]] = {}
        self._titles: dict[tuple[str, str], dict[str, Item]] = {}
        self._errors: dict[str, QueuedErrors] = {}
        self._reads: list[str] = []
        self._reads_of_passed: list[str] = []

    @property
    def reads_of_passed(self) -> tuple[str, ...]:
        """The nodes whose passed items were read, in order, failed calls included."""
        return tuple(self._reads_of_passed)

    @property
    def reads(self) -> tuple[str, ...]:
        """The nodes whose items were read, in order, failed calls included."""
        return tuple(self._reads)

    def put(
        self,
        instance_id: str,
        compliance_type: str,
        execution_id: str,
        executed_at: datetime,
        items: Iterable[Item],
        *,
        compliant: int = 1,
        passed: Iterable[Item] | None = None,
    ) -> None:
        """Replaces what a node reports for a compliance type. The items are kept as given.

        `passed` None: every title that it has failed before passes, unless it fails now or
        `compliant` is 0. Further items fill up `compliant`.
        """
        key, failed = (instance_id, compliance_type), tuple(items)
        known = self._titles.setdefault(key, {})
        if passed is None:
            failing = {each.title for each in failed}
            shown = [each for title, each in known.items() if title not in failing]
            passed = shown if compliant else ()
        stored = [replace(each, execution_id=execution_id) for each in passed]
        stored += [
            Item(compliance_type, execution_id, f"always-{number}", f"always {number}", "HIGH")
            for number in range(compliant - len(stored))
        ]
        known.update({each.title: each for each in failed if each.title})
        execution = Execution(execution_id, executed_at, len(failed))
        self._rows[key] = SummaryRow(instance_id, compliance_type, execution, len(stored))
        self._items[key], self._passed[key] = failed, tuple(stored)

    def change_summary(
        self,
        instance_id: str,
        compliance_type: str,
        *,
        compliant: int | None = None,
        flaw: Doubt | None = None,
        **execution: Any,
    ) -> None:
        """Makes the summary differ from the items, until the next `put`.

        `execution` are fields of the execution. `flaw` says what the row lacks.
        """
        row = self._rows[instance_id, compliance_type]
        self._rows[instance_id, compliance_type] = replace(
            row,
            execution=replace(row.execution, **execution),
            compliant=row.compliant if compliant is None else compliant,
            flaw=flaw,
        )

    def copy_report(self, instance_id: str) -> CopiedReport:
        """Returns what is listed of a node, for `show_report`."""
        parts = (self._rows, self._items, self._passed)
        return tuple(
            {key: value for key, value in part.items() if key[0] == instance_id} for part in parts
        )

    def show_report(self, instance_id: str, report: CopiedReport) -> None:
        """Lists of a node what it reported when this was copied, and nothing else."""
        parts: CopiedReport = (self._rows, self._items, self._passed)
        for part, copied in zip(parts, report, strict=True):
            for key in [key for key in part if key[0] == instance_id]:
                del part[key]
            part.update(copied)

    def remove_type(self, instance_id: str, compliance_type: str) -> None:
        """Removes what a node reports for a compliance type."""
        key = (instance_id, compliance_type)
        del self._rows[key], self._items[key], self._passed[key]

    def remove(self, instance_id: str) -> None:
        """Removes a node, as SSM does some time after the instance was terminated."""
        for key in [key for key in self._rows if key[0] == instance_id]:
            del self._rows[key], self._items[key], self._passed[key]
            self._titles.pop(key, None)

    def fail(self, instance_id: str, times: int = 1) -> None:
        """Raises `Unavailable` in the next calls that read items of this node."""
        error = Unavailable(f"SSM did not answer for {instance_id} (the test asked for this)")
        self._errors.setdefault(instance_id, QueuedErrors()).add(error, times)

    def summaries(self) -> tuple[SummaryRow, ...]:
        """Returns every row, and then those that are `repeated`."""
        return (*self._rows.values(), *self.repeated)

    def items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Returns the node's items of these types. The spelling of a type must match."""
        self._reads.append(instance_id)
        return self._list(self._items, instance_id, types)

    def passed_items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Returns the node's passed items of these types."""
        self._reads_of_passed.append(instance_id)
        return self._list(self._passed, instance_id, types)

    def _list(
        self,
        stored: Mapping[tuple[str, str], tuple[Item, ...]],
        instance_id: str,
        types: Sequence[str],
    ) -> ItemList:
        if instance_id in self._errors:
            self._errors[instance_id].raise_next()
        items = tuple(
            item
            for (node, compliance_type), items in sorted(stored.items())
            if node == instance_id and compliance_type in types
            for item in items
        )
        return ItemList(items, pages=max(1, -(-len(items) // self.page_size)))
