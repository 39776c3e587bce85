"""What the use cases need from outside, in the domain's words.

Every method raises `Unavailable` if the vendor does not answer and `Forbidden` if
it refuses for good. Times are aware UTC.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, TypeAlias

from msgspec import Struct, field

from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.compliance import ItemList, SummaryRow
from chalicelib.domain.control import ControlText
from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.finding import Finding, Title, UncheckedFinding
from chalicelib.domain.history import (
    NO_FACTS,
    EventKey,
    Fact,
    FactRow,
    HistoryEvent,
    Mark,
    Receipt,
    SnoozeEvent,
)
from chalicelib.domain.message import CsvFile, Message, OutputState
from chalicelib.domain.node import Node
from chalicelib.domain.scan import Day, Job, ScanRecord, Targets
from chalicelib.domain.snooze import Snooze

Clock = Callable[[], datetime]


class Compliance(Protocol):
    """SSM Compliance."""

    def summaries(self) -> Sequence[SummaryRow]:
        """Returns every row of the configured compliance types, all pages."""

    def items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Returns every NON_COMPLIANT item of a node for these types. Safe to call in threads."""

    def passed_items(self, instance_id: str, types: Sequence[str]) -> ItemList:
        """Returns every COMPLIANT item of a node for these types. Safe to call in threads."""


# How far the time that SSM gives an execution may be from the date in its event.
SAME_EXECUTION = timedelta(minutes=10)


class Executions(Protocol):
    """The executions of State Manager associations."""

    def targets(self, association_id: str, began: datetime) -> Targets | None:
        """Returns the targets of the execution that began nearest to this time.

        None if none began within `SAME_EXECUTION` of it, or if it has no target. One
        quick try: an answer can do without.
        """


class Selection(Struct, frozen=True):
    """Which findings a list holds: those of a node, of a title, or all. Not both."""

    instance_id: str | None = None
    title: str | None = None


class FindingReader(Protocol):
    """Reads the findings table."""

    def all(self) -> Iterator[Finding]:
        """Yields every finding, consistently, in no order."""

    def get(self, finding_ids: Iterable[str]) -> Mapping[str, Finding]:
        """Returns the findings that are stored under these ids, consistently, by id."""


class FindingPages(FindingReader, Protocol):
    """Reads the findings table, also page by page."""

    def page(self, selection: Selection, after: str | None, limit: int) -> Sequence[Finding]:
        """Returns at most `limit` findings after the finding id `after`, in index order.

        Eventually consistent. Fewer than `limit` means the end.
        """


class FindingStore(FindingReader, Protocol):
    """The findings table. Both writes are idempotent."""

    def put(self, findings: Iterable[Finding]) -> None:
        """Inserts or replaces."""

    def delete(self, finding_ids: Iterable[str]) -> None:
        """Deletes. Ids that are not stored are ignored."""


class NodeStore(Protocol):
    """The nodes table."""

    def all(self) -> Sequence[Node]:
        """Returns every node, consistently, in no order."""

    def put(self, nodes: Iterable[Node]) -> None:
        """Inserts or replaces, with lists as long as the stored ones or longer."""


class UncheckedKey(NamedTuple):
    """What names a remembered finding: its node, and its id."""

    instance_id: str
    finding_id: str


class UncheckedReader(Protocol):
    """Reads what is remembered of findings that are not checked any more."""

    def all(self) -> Iterator[UncheckedFinding]:
        """Yields every one, consistently, ordered by node and finding id.

        One that cannot be read is left out.
        """

    def page(
        self, selection: Selection, after: UncheckedKey | None, limit: int
    ) -> Sequence[UncheckedFinding]:
        """Returns at most `limit` after a key, in the same order; fewer means the end."""


class UncheckedStore(UncheckedReader, Protocol):
    """The findings that are not checked any more and are remembered. Writes are idempotent."""

    def get(self, keys: Iterable[UncheckedKey]) -> Mapping[str, UncheckedFinding]:
        """Returns what is stored under these keys, consistently, by finding id."""

    def put(self, findings: Iterable[UncheckedFinding]) -> None:
        """Inserts or replaces."""

    def delete(self, keys: Iterable[UncheckedKey]) -> None:
        """Deletes. Keys that are not stored are ignored."""


class Titles(Protocol):
    """The titles of findings, each once for all nodes. A title may have expired."""

    def all(self) -> Mapping[str, Title]:
        """Returns every title, by its reference (`title_reference`)."""

    def put(self, titles: Iterable[Title], now: datetime) -> None:
        """Inserts or replaces."""


# Limit of TransactWriteItems.
MAX_SETTLED_ROWS = 100
# Entries of a node's list in one row, some 155 KB. A longer list takes further rows.
LIST_ENTRIES = 5_000


class Rows(Struct, frozen=True):
    """Rows to write beside those of nodes and facts.

    findings, unchecked: to insert or replace · removed: finding ids to delete, none of
    `findings` · settled: keys of remembered findings to delete, none of `unchecked` ·
    events: history.
    """

    findings: tuple[Finding, ...] = ()
    removed: tuple[str, ...] = ()
    unchecked: tuple[UncheckedFinding, ...] = ()
    settled: tuple[UncheckedKey, ...] = ()
    events: tuple[HistoryEvent, ...] = ()


NO_ROWS = Rows()


class Settlement(Struct, frozen=True):
    """The end of a change, or all of a small one, to be written in one transaction.

    nodes: each row before and after, None to delete it, no node twice · facts: what
    follows from the change, numbered after `last` · marks: the ids of the marks to
    remove · rows: none of them twice. All of it with the receipt is at most
    `MAX_SETTLED_ROWS` and 4 MB.
    """

    nodes: tuple[tuple[Node, Node | None], ...]
    facts: tuple[FactRow, ...]
    last: Receipt
    marks: tuple[str, ...] = ()
    rows: Rows = NO_ROWS


class FactLog(Protocol):
    """The facts of scans, and the order in which a change is written."""

    def mark(self, mark: Mark) -> None:
        """Records what is about to be written."""

    def settle(self, settlement: Settlement) -> None:
        """Writes all of it, or nothing.

        Raises `Conflict` unless `last` is the last stored fact.
        """

    def rows(self, after: Receipt, until: Receipt) -> Iterator[FactRow]:
        """Yields the stored rows of facts between two receipts, consistently, in order.

        A row that cannot be read is left out.
        """


# What `open_lists` returns of a node.
LISTED_FIELDS = (
    "instance_id",
    "open_list",
    "severities",
    "unchecked",
    "missing_since",
    "unverified_since",
)


class NodePages(Protocol):
    """Reads the nodes table, also page by page."""

    def open_lists(self) -> Sequence[Node]:
        """Returns every node with `LISTED_FIELDS` and nothing else, consistently, in no order."""

    def page(self, after: str | None, limit: int) -> Sequence[Node]:
        """Returns at most `limit` nodes after the instance id `after`; fewer means the end."""

    def get(self, instance_ids: Iterable[str]) -> Mapping[str, Node]:
        """Returns the nodes that are stored under these ids, without their lists, by id.

        Eventually consistent.
        """


# No lease is longer: a Lambda lives for 15 minutes.
MAX_LEASE = timedelta(hours=1)


class Lease(Protocol):
    """The right to scan. It has one holder at a time."""

    def acquire(self, owner: str, now: datetime, until: datetime) -> bool:
        """Takes the lease if it is free or has run out.

        One that ends later than `MAX_LEASE` from now is of a wrong clock, and free.
        False if somebody else holds it. The holder then learns that it was wanted.
        """

    def release(self, owner: str) -> bool:
        """Releases the lease if `owner` still holds it, else does nothing.

        Returns whether somebody else wanted it meanwhile.
        """


class OpenWork(Struct, frozen=True):
    """Everything unfinished. Jobs and messages come oldest first.

    outputs: those that failed last, by name ·
    marks: changes of scans that died · last_fact: the last fact that is stored ·
    receipts: of the outputs that follow facts, by name ·
    unannounced_scans: marks of an older version, whose findings are not announced ·
    day: the last one that has numbers.
    """

    jobs: tuple[Job, ...] = ()
    messages: tuple[Message, ...] = ()
    channel_state: ChannelState = field(default_factory=ChannelState)
    marks: tuple[Mark, ...] = ()
    last_fact: Receipt = NO_FACTS
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    unannounced_scans: tuple[str, ...] = ()
    outputs: Mapping[str, OutputState] = field(default_factory=dict)
    day: Day | None = None


# Snoozes settled by one decision. A DynamoDB transaction is limited to 100 actions, and the
# message, the channel state and the usual marks must fit beside them.
MAX_SETTLED_SNOOZES = 50


class Staged(Struct, frozen=True):
    """A decision to be written in one transaction.

    `snoozes` have changed: they are settled, or people are told of them. The version of
    each is one more than the stored one; there are at most `MAX_SETTLED_SNOOZES`.
    `channel_state` and `day` are None if they did not change.
    `scan` is the record of the scan that decided.
    """

    message: Message | None = None
    completed: tuple[Job, ...] = ()
    snoozes: tuple[Snooze, ...] = ()
    channel_state: ChannelState | None = None
    scan: ScanRecord | None = None
    unannounced_scans: tuple[str, ...] = ()
    day: Day | None = None


class Work(Protocol):
    """The unfinished part of the ledger."""

    def enqueue(self, job: Job) -> bool:
        """Writes a job; False if it was there, and this event says nothing else or is older.

        Else a job that waits takes the status and counts of the event
        (`Job.take_event`), and a completed one waits again (`Job.reopen`).
        """

    def open(self) -> OpenWork:
        """Reads everything unfinished, consistently."""

    def stage(self, staged: Staged, now: datetime) -> None:
        """Writes a decision, all or nothing.

        Raises `Conflict` if a snooze has changed, a completed job waits with a later
        event, or the message exists. Marks and jobs that do not fit into one
        transaction follow in further ones, marks first: a crash between them announces
        or answers twice, never not at all. The same holds for jobs with a later event
        that are in these.
        Raises ValueError above `MAX_SETTLED_SNOOZES`.
        """

    def save_receipt(self, output: str, receipt: Receipt) -> None:
        """Writes how far an output has followed the facts."""

    def record(self, message: Message, now: datetime) -> None:
        """Writes a message's delivery steps. A sent message leaves the unfinished part."""

    def save_output(self, name: str, state: OutputState | None) -> None:
        """Writes the trouble of an output; None removes it."""


class Snoozes(Protocol):
    """The snoozes of the ledger."""

    def all(self) -> Sequence[Snooze]:
        """Returns every snooze, consistently, ended ones included."""

    def unsettled(self) -> Sequence[Snooze]:
        """Returns the snoozes that are not settled, consistently: pending, active, just ended."""

    def about(self, scope_ids: Iterable[str]) -> Sequence[Snooze]:
        """Returns the snoozes with one of these scope ids, consistently, ended ones included."""

    def get(self, snooze_id: str) -> Snooze | None:
        """Returns one snooze, consistently."""

    def add(self, snooze: Snooze, event: SnoozeEvent) -> None:
        """Writes a new snooze and its history together; `Conflict` if its id is taken."""

    def save(self, snooze: Snooze, event: SnoozeEvent | None = None) -> None:
        """Writes a snooze and its history together.

        Raises `Conflict` unless its version is one more than the stored one.
        """

    def events(self, snooze_id: str) -> Sequence[SnoozeEvent]:
        """Returns a snooze's history, oldest first."""


class Journal(Protocol):
    """The finished part of the ledger, written."""

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Appends history. The same event twice is one event."""

    def find(self, keys: Iterable[EventKey]) -> Sequence[HistoryEvent]:
        """Returns the events that are stored under these keys, consistently, in no order."""

    def record(self, scan: ScanRecord) -> None:
        """Keeps the numbers of a scan."""


class Archive(Protocol):
    """The finished part of the ledger, looked up."""

    def events_of(self, finding_id: str) -> Sequence[HistoryEvent]:
        """Returns a finding's history, oldest first."""

    def scans(self, after: str | None, limit: int) -> Sequence[ScanRecord]:
        """Returns at most `limit` scans, newest first, after the scan id `after`."""

    def days(self, since: str) -> Sequence[Day]:
        """Returns the days with numbers since `YYYY-MM-DD`, oldest first.

        One that cannot be read is left out.
        """

    def facts_of(self, day: str) -> Iterator[FactRow]:
        """Yields the facts of a day, `YYYY-MM-DD`, newest first.

        A row that cannot be read is left out.
        """

    def find(self, keys: Iterable[EventKey]) -> Sequence[HistoryEvent]:
        """Returns the events that are stored under these keys, consistently, in no order."""

    def latest_monthly(self) -> str | None:
        """Returns the bucket key of the newest monthly report that is stored."""


class Files(Protocol):
    """The bucket of CSV files. Raises `DeliveryError`."""

    def put(self, key: str, content: Iterable[bytes]) -> None:
        """Stores or replaces, whole or not at all. The content may be larger than memory."""

    def get(self, key: str) -> Iterator[bytes]:
        """Reads what is stored, piece by piece. Fails at once if there is nothing."""


class Controls(Protocol):
    """What profiles say of their controls. Never raises: everything else does without it."""

    def find(self, control_id: str) -> ControlText | None:
        """Finds what a control says; None if no known profile has it."""


class StepReceipt(Struct, frozen=True):
    """What proves that a step was taken.

    `refusal` says why it was settled in another way than usual; None if it was not.
    """

    text: str
    refusal: DeliveryError | None = None


# Reads a CSV of a message, anew for each call: it may be larger than memory.
ReadCsv: TypeAlias = Callable[[CsvFile], Iterator[bytes]]


class Output(Protocol):
    """A place that messages go to. It gives them its own form, in recorded steps."""

    @property
    def name(self) -> str:
        """A word. The names of its steps begin with it and a dot."""

    def list_steps(self, message: Message) -> tuple[str, ...]:
        """Lists the steps that a message needs, in order. Each waits for the one before it."""

    def take(self, step: str, message: Message, read_csv: ReadCsv) -> StepReceipt:
        """Takes a step. Raises `DeliveryError`; then the step can be taken again."""

    def identity(self) -> str:
        """Returns a short digest of where it sends, and with which credentials.

        The next step uses these. May take a call, and raise `DeliveryError`.
        """


class FactOutput(Protocol):
    """A place that follows the facts, such as a list of open findings kept elsewhere."""

    @property
    def name(self) -> str:
        """A word."""

    def start(self, findings: Iterable[Finding]) -> None:
        """Makes these the open findings there. Raises `DeliveryError`."""

    def send(self, facts: Sequence[Fact]) -> None:
        """Sends facts, in order. Some may come a second time. Raises `DeliveryError`."""

    def identity(self) -> str:
        """Returns a short digest of where it sends, and with which credentials.

        May take a call, and raise `DeliveryError`.
        """


class Sorter(Protocol):
    """Sorts findings, also more of them than memory holds."""

    def worst_first(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """Sorts by `domain.finding.worst_first`. The result can be iterated repeatedly."""
