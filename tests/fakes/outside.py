"""The outside context in memory: SSM Compliance, the bucket and the channel, failing on demand."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.compliance import Execution, Item, SummaryRow
from chalicelib.domain.errors import DeliveryError, ServiceError, Unavailable
from chalicelib.domain.finding import Finding, worst_first
from chalicelib.domain.message import Rendered


class _Faults:
    """Errors to raise in the next calls, one each."""

    def __init__(self) -> None:
        self._waiting: deque[ServiceError] = deque()

    def add(self, error: ServiceError, times: int) -> None:
        self._waiting.extend([error] * times)

    def strike(self) -> None:
        if self._waiting:
            raise self._waiting.popleft()


class MemoryFiles:
    """The bucket: `Files`, and what it holds."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._faults = _Faults()

    @property
    def objects(self) -> Mapping[str, bytes]:
        """What is stored as of now, by key."""
        return dict(self._objects)

    def fail(self, error: DeliveryError, times: int = 1) -> None:
        """Raise this error in the next calls of `put` or `get`."""
        self._faults.add(error, times)

    def put(self, key: str, content: Iterable[bytes]) -> None:
        """Store or replace."""
        self._faults.strike()
        self._objects[key] = b"".join(content)

    def get(self, key: str) -> Iterator[bytes]:
        """Read what was stored."""
        self._faults.strike()
        if key not in self._objects:
            raise DeliveryError("NoSuchKey", retryable=False)
        return iter([self._objects[key]])


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it was put into a thread."""

    thread: str
    name: str
    title: str
    content: bytes


class MemorySorter:
    """`Sorter`, for what memory holds."""

    def worst_first(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """All of them in order."""
        return tuple(sorted(findings, key=worst_first))


class MemoryChannel:
    """The channel: `Channel`, and what was said in it."""

    def __init__(self) -> None:
        self._posts: list[Rendered] = []
        self._attachments: list[Attachment] = []
        self._post_faults = _Faults()
        self._attach_faults = _Faults()

    @property
    def posts(self) -> tuple[Rendered, ...]:
        """The messages posted, oldest first."""
        return tuple(self._posts)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files attached, oldest first."""
        return tuple(self._attachments)

    def fail_post(self, error: DeliveryError, times: int = 1) -> None:
        """Raise this error in the next calls of `post`."""
        self._post_faults.add(error, times)

    def fail_attach(self, error: DeliveryError, times: int = 1) -> None:
        """Raise this error in the next calls of `attach`."""
        self._attach_faults.add(error, times)

    def post(self, rendered: Rendered) -> str:
        """Keep a message; its thread is `thread-<n>`, counted from 1."""
        self._post_faults.strike()
        self._posts.append(rendered)
        return f"thread-{len(self._posts)}"

    def attach(self, thread: str, name: str, title: str, content: bytes) -> str:
        """Keep a file; its id is `file-<n>`, counted from 1."""
        self._attach_faults.strike()
        self._attachments.append(Attachment(thread, name, title, content))
        return f"file-{len(self._attachments)}"


class MemoryCompliance:
    """SSM Compliance: `Compliance`, with the writing side that nodes have."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], SummaryRow] = {}
        self._items: dict[tuple[str, str], tuple[Item, ...]] = {}
        self._faults: dict[str, _Faults] = {}
        self._reads: list[str] = []

    @property
    def reads(self) -> tuple[str, ...]:
        """The nodes whose items were asked for, in order, failures included."""
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
    ) -> None:
        """Replace what a node reports of a type; the items are kept as they are given."""
        key, held = (instance_id, compliance_type), tuple(items)
        execution = Execution(execution_id, executed_at, len(held))
        self._rows[key] = SummaryRow(instance_id, compliance_type, execution, compliant)
        self._items[key] = held

    def announce(
        self,
        instance_id: str,
        compliance_type: str,
        *,
        count: int | None = None,
        execution_id: str | None = None,
    ) -> None:
        """Let the summary say another count or execution than the items, until the next put."""
        row = self._rows[instance_id, compliance_type]
        execution = replace(
            row.execution,
            count=row.execution.count if count is None else count,
            execution_id=row.execution.execution_id if execution_id is None else execution_id,
        )
        self._rows[instance_id, compliance_type] = replace(row, execution=execution)

    def remove(self, instance_id: str) -> None:
        """Forget a node, as SSM does some time after it ended."""
        for key in [key for key in self._rows if key[0] == instance_id]:
            del self._rows[key], self._items[key]

    def fail(self, instance_id: str, times: int = 1) -> None:
        """Raise `Unavailable` in the next readings of a node's items."""
        error = Unavailable(f"SSM did not answer for {instance_id} (told to fail)")
        self._faults.setdefault(instance_id, _Faults()).add(error, times)

    def summaries(self) -> tuple[SummaryRow, ...]:
        """Every row as of now."""
        return tuple(self._rows.values())

    def items(self, instance_id: str, types: Sequence[str]) -> tuple[Item, ...]:
        """The node's items of these types, spelt exactly so."""
        self._reads.append(instance_id)
        if instance_id in self._faults:
            self._faults[instance_id].strike()
        return tuple(
            item
            for (node, compliance_type), items in sorted(self._items.items())
            if node == instance_id and compliance_type in types
            for item in items
        )
