"""What the use cases need from the context, in the domain's words.

All methods raise `Unavailable` when the vendor does not answer and `Forbidden`
when it refuses for good. Times are aware UTC.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.domain.alert import Alert, ChannelState
from chalicelib.domain.compliance import Item, SummaryRow
from chalicelib.domain.finding import Finding
from chalicelib.domain.history import HistoryEvent, SnoozeEvent
from chalicelib.domain.job import Job
from chalicelib.domain.message import Message, Rendered
from chalicelib.domain.monthly import ListedFinding, MonthlyReport
from chalicelib.domain.node import Node
from chalicelib.domain.scan_record import ScanRecord
from chalicelib.domain.snooze import Snooze

Clock = Callable[[], datetime]


class Compliance(Protocol):
    """SSM Compliance."""

    def summaries(self) -> Sequence[SummaryRow]:
        """Every row of the configured compliance types, every page."""

    def items(self, instance_id: str, types: Sequence[str]) -> Sequence[Item]:
        """Every NON_COMPLIANT item of a node for these types; safe to call from threads."""


class FindingReader(Protocol):
    """The findings table, read."""

    def all(self) -> Iterator[Finding]:
        """Every finding, consistently, in no order."""

    def of_node(self, instance_id: str) -> Sequence[Finding]:
        """A node's findings from the index, which may lag behind."""

    def of_title(self, title: str) -> Sequence[Finding]:
        """A title's findings from the index, which may lag behind."""

    def get(self, finding_ids: Iterable[str]) -> Mapping[str, Finding]:
        """Those of the ids that are stored, consistently, by id."""


class FindingWriter(Protocol):
    """The findings table, written. Both are idempotent."""

    def put(self, findings: Iterable[Finding]) -> None:
        """Insert or replace."""

    def delete(self, finding_ids: Iterable[str]) -> None:
        """Remove; ids that are not stored are no error."""


class FindingStore(FindingReader, FindingWriter, Protocol):
    """The findings table."""


class NodeStore(Protocol):
    """The nodes table."""

    def all(self) -> Sequence[Node]:
        """Every node, consistently, in no order."""

    def put(self, nodes: Iterable[Node]) -> None:
        """Insert or replace."""

    def delete(self, instance_ids: Iterable[str]) -> None:
        """Remove; ids that are not stored are no error."""


class Lease(Protocol):
    """The right to make a pass: one holder at a time."""

    def acquire(self, owner: str, now: datetime, until: datetime) -> bool:
        """Take it if it is free or has run out; False where somebody else holds it."""

    def release(self, owner: str) -> None:
        """Let go, if `owner` still holds it; else nothing happens."""


@dataclass(frozen=True, slots=True)
class OpenWork:
    """Everything unfinished: owed answers, scans not told, messages not delivered, what is known.

    Jobs and messages come oldest first.
    """

    jobs: tuple[Job, ...]
    unannounced_scans: tuple[str, ...]
    messages: tuple[Message, ...]
    channel_state: ChannelState


# Told snoozes of one decision: a DynamoDB transaction ends at 100 actions, and the message,
# what is known and the usual open marks have to fit in beside them.
MAX_SETTLED_SNOOZES = 50


@dataclass(frozen=True, slots=True)
class Staged:
    """One decision about what to say, to be written in one transaction.

    The version of each told snooze is one more than the stored one, and there
    are at most `MAX_SETTLED_SNOOZES` of them; `told` is None where what people
    know did not change.
    """

    message: Message | None = None
    unannounced_scans: tuple[str, ...] = ()
    completed: tuple[Job, ...] = ()
    settled_snoozes: tuple[Snooze, ...] = ()
    channel_state: ChannelState | None = None


class Work(Protocol):
    """The unfinished part of the ledger."""

    def enqueue(self, job: Job) -> bool:
        """Write a job down; False where it is, or was, written down already."""

    def open(self) -> OpenWork:
        """Read what is unfinished, consistently."""

    def mark_unannounced(self, scan_id: str) -> None:
        """Write ahead that this scan opens findings that no message tells yet."""

    def stage(self, staged: Staged, now: datetime) -> None:
        """Write a decision, all of it or nothing.

        `Conflict` where a snooze has changed or the message is there already.
        What one transaction cannot hold, open marks before jobs, follows in
        further ones: a crash between them tells or answers twice, never not at
        all. ValueError above `MAX_SETTLED_SNOOZES`.
        """

    def record(self, message: Message, now: datetime) -> None:
        """Write a message's delivery steps; a sent one leaves the unfinished part."""


class Snoozes(Protocol):
    """The snoozes of the ledger."""

    def all(self) -> Sequence[Snooze]:
        """Every snooze, consistently, ended ones included: for lists and totals of snoozes."""

    def unsettled(self) -> Sequence[Snooze]:
        """Those whose end nobody was told of, consistently: pending, active, or just ended."""

    def about(self, scope_ids: Iterable[str]) -> Sequence[Snooze]:
        """Those with one of these scopes, consistently, ended ones included.

        `domain.snooze.scope_id` makes a scope id, and the id of a snooze begins with it.
        """

    def get(self, snooze_id: str) -> Snooze | None:
        """One snooze, consistently."""

    def add(self, snooze: Snooze, event: SnoozeEvent) -> None:
        """Write a new snooze and its history at once; `Conflict` where its id is taken."""

    def save(self, snooze: Snooze, event: SnoozeEvent | None = None) -> None:
        """Write a snooze, whose version is one more than the stored, else `Conflict`.

        The history is written at once with it.
        """

    def events(self, snooze_id: str) -> Sequence[SnoozeEvent]:
        """A snooze's history, oldest first."""


class Journal(Protocol):
    """The finished part of the ledger, for people."""

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Append history; the same event twice is one event."""

    def record(self, scan: ScanRecord) -> None:
        """Keep what a pass did."""


class Files(Protocol):
    """Where CSV files are kept. Raises `DeliveryError`."""

    def put(self, key: str, content: Iterable[bytes]) -> None:
        """Store or replace, whole or not at all; the content may be larger than memory."""

    def get(self, key: str) -> Iterator[bytes]:
        """Read what was stored, piece by piece; one that is not there fails at once."""


class Channel(Protocol):
    """Where people read. Raises `DeliveryError`, `MessageRefused` for a form it never takes."""

    def post(self, rendered: Rendered) -> str:
        """Post a message and return its thread id."""

    def attach(self, thread: str, name: str, title: str, content: bytes) -> str:
        """Put a file into the thread and return the file's id."""


class Sorter(Protocol):
    """Brings findings into order, also more of them than memory holds."""

    def worst_first(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """All of them in the order of `domain.finding.worst_first`, as often as asked for."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """The pure renderings that a message is made of."""

    alert: Callable[[Alert], Rendered]
    monthly: Callable[[MonthlyReport], Rendered]
    csv: Callable[[Iterable[ListedFinding]], Iterator[bytes]]
