"""The ledger in memory: its rows, and a port for each part of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.errors import Conflict
from chalicelib.domain.history import (
    NO_FACTS,
    EventKey,
    FactRow,
    HistoryEvent,
    Mark,
    Receipt,
    SnoozeEvent,
    SnoozeEventKind,
    oldest_first,
)
from chalicelib.domain.message import Message, OutputState
from chalicelib.domain.monthly import MESSAGE_PREFIX
from chalicelib.domain.scan import Day, Job, ScanRecord
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.ports import (
    MAX_LEASE,
    MAX_SETTLED_SNOOZES,
    FindingStore,
    OpenWork,
    Settlement,
    Staged,
    UncheckedStore,
)
from tests.fakes.tables import MemoryNodes


@dataclass(slots=True)
class MemoryLedger:
    """The ledger's rows. The ports below share them, as the adapters share the real table.

    lease: its owner and its end · lease_wanted: somebody else tried to take it ·
    completed: the jobs that were completed last, by key.
    """

    lease: tuple[str, datetime] | None = None
    lease_wanted: bool = False
    jobs: dict[str, Job] = field(default_factory=dict)
    completed: dict[str, Job] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    facts: dict[int, FactRow] = field(default_factory=dict)
    last_fact: Receipt = NO_FACTS
    receipts: dict[str, Receipt] = field(default_factory=dict)
    unannounced_scans: set[str] = field(default_factory=set)
    messages: dict[str, Message] = field(default_factory=dict)
    sent: dict[str, Message] = field(default_factory=dict)
    channel_state: ChannelState = field(default_factory=ChannelState)
    outputs: dict[str, OutputState] = field(default_factory=dict)
    snoozes: dict[str, Snooze] = field(default_factory=dict)
    snooze_history: dict[tuple[str, datetime, int, SnoozeEventKind], SnoozeEvent] = field(
        default_factory=dict
    )
    history: dict[EventKey, HistoryEvent] = field(default_factory=dict)
    scans: dict[str, ScanRecord] = field(default_factory=dict)
    days: dict[str, Day] = field(default_factory=dict)

    def check_version(self, snooze: Snooze) -> None:
        """Raises `Conflict` unless this version is one more than the stored one."""
        stored = self.snoozes.get(snooze.id)
        if stored is None or stored.version != snooze.version - 1:
            raise Conflict(f"snooze {snooze.id}: another writer was first")


class MemoryLease:
    """`Lease`: the right to scan. It has one holder at a time."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def acquire(self, owner: str, now: datetime, until: datetime) -> bool:
        """Takes the lease if it is free, has run out, ends too late, or is held by `owner`."""
        held = self._ledger.lease
        if held and held[0] != owner and now < held[1] <= now + MAX_LEASE:
            self._ledger.lease_wanted = True
            return False
        self._ledger.lease, self._ledger.lease_wanted = (owner, until), False
        return True

    def release(self, owner: str) -> bool:
        """Releases the lease if `owner` still holds it. Returns whether it was wanted."""
        held = self._ledger.lease
        if not held or held[0] != owner:
            return False
        self._ledger.lease = None
        return self._ledger.lease_wanted


class MemoryWork:
    """`Work`: the unfinished part of the ledger."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def enqueue(self, job: Job) -> bool:
        """Writes a job, or what a later event of a known one says; False if that is nothing."""
        waiting, completed = self._ledger.jobs.get(job.key), self._ledger.completed.get(job.key)
        changed: Job | None = job
        if waiting:
            changed = waiting.take_event(job)
        elif completed:
            changed = completed.reopen(job)
        if changed:
            self._ledger.jobs[job.key] = changed
        return changed is not None

    def open(self) -> OpenWork:
        """Reads everything unfinished."""
        ledger = self._ledger
        return OpenWork(
            jobs=tuple(sorted(ledger.jobs.values(), key=lambda each: (each.enqueued_at, each.key))),
            messages=tuple(
                sorted(ledger.messages.values(), key=lambda each: (each.created_at, each.id))
            ),
            channel_state=ledger.channel_state,
            marks=tuple(ledger.marks[key] for key in sorted(ledger.marks)),
            last_fact=ledger.last_fact,
            receipts=dict(ledger.receipts),
            unannounced_scans=tuple(sorted(ledger.unannounced_scans)),
            outputs=dict(ledger.outputs),
            day=ledger.days[max(ledger.days)] if ledger.days else None,
        )

    def stage(self, staged: Staged, now: datetime) -> None:  # noqa: ARG002 - nothing expires here
        """Writes a decision, all or nothing: checks every condition first."""
        ledger, message = self._ledger, staged.message
        if len(staged.snoozes) > MAX_SETTLED_SNOOZES:
            raise ValueError(f"more than {MAX_SETTLED_SNOOZES} settled snoozes in one decision")
        if message and (message.id in ledger.messages or message.id in ledger.sent):
            raise Conflict(f"message {message.id}: another writer was first")
        for snooze in staged.snoozes:
            ledger.check_version(snooze)
        for job in staged.completed:
            if ledger.jobs.get(job.key, job).event_at != job.event_at:
                raise Conflict(f"job {job.key}: a later event has come")
        if message:
            ledger.messages[message.id] = message
        ledger.unannounced_scans.difference_update(staged.unannounced_scans)
        for job in staged.completed:
            ledger.jobs.pop(job.key, None)
            ledger.completed[job.key] = job
        ledger.snoozes.update({snooze.id: snooze for snooze in staged.snoozes})
        ledger.channel_state = staged.channel_state or ledger.channel_state
        if staged.scan:
            ledger.scans[staged.scan.scan_id] = staged.scan
        if staged.day:
            ledger.days[staged.day.day] = staged.day

    def save_receipt(self, output: str, receipt: Receipt) -> None:
        """Writes how far an output has followed the facts."""
        self._ledger.receipts[output] = receipt

    def record(self, message: Message, now: datetime) -> None:  # noqa: ARG002 - nothing expires here
        """Writes a message's delivery steps. A sent message leaves the unfinished part."""
        ledger = self._ledger
        if message.sent:
            ledger.messages.pop(message.id, None)
            ledger.sent[message.id] = message
        elif message.id in ledger.messages:
            ledger.messages[message.id] = message
        else:
            raise Conflict(f"message {message.id}: another writer has finished it")

    def save_output(self, name: str, state: OutputState | None) -> None:
        """Writes the trouble of an output; None removes it."""
        if state is None:
            self._ledger.outputs.pop(name, None)
        else:
            self._ledger.outputs[name] = state


class MemoryFacts:
    """`FactLog`. A settlement also writes nodes, findings and what is remembered."""

    def __init__(
        self,
        ledger: MemoryLedger,
        nodes: MemoryNodes,
        findings: FindingStore,
        unchecked: UncheckedStore,
    ) -> None:
        self._ledger = ledger
        self._nodes = nodes
        self._findings = findings
        self._unchecked = unchecked

    def mark(self, mark: Mark) -> None:
        """Records what is about to be written."""
        self._ledger.marks[mark.id] = mark

    def settle(self, settlement: Settlement) -> None:
        """Writes all of it, or nothing."""
        ledger = self._ledger
        if ledger.last_fact.number != settlement.last.number:
            raise Conflict("another scan has written facts")
        if len({before.instance_id for before, _ in settlement.nodes}) < len(settlement.nodes):
            raise ValueError("a transaction cannot write a row twice")
        rows = settlement.rows
        self._findings.put(rows.findings)
        self._findings.delete(rows.removed)
        self._unchecked.put(rows.unchecked)
        self._unchecked.delete(rows.settled)
        ledger.history.update({event.key: event for event in rows.events})
        self._nodes.put(after for _, after in settlement.nodes if after)
        for before, after in settlement.nodes:
            if not after:
                self._nodes.remove(before.instance_id)
        ledger.facts.update({row.first: row for row in settlement.facts})
        ledger.last_fact = settlement.facts[-1].receipt if settlement.facts else settlement.last
        for mark in settlement.marks:
            ledger.marks.pop(mark, None)

    def rows(self, after: Receipt, until: Receipt) -> Iterator[FactRow]:
        """Yields the rows of facts between two receipts, in order."""
        for first in sorted(self._ledger.facts):
            if after.number < first <= until.number:
                yield self._ledger.facts[first]


class MemorySnoozes:
    """`Snoozes`: the snoozes of the ledger."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def all(self) -> tuple[Snooze, ...]:
        """Returns every snooze, ended ones included."""
        return tuple(self._ledger.snoozes.values())

    def unsettled(self) -> tuple[Snooze, ...]:
        """Returns the snoozes that are not settled: pending, active, just ended."""
        return tuple(each for each in self._ledger.snoozes.values() if each.settled_at is None)

    def about(self, scope_ids: Iterable[str]) -> tuple[Snooze, ...]:
        """Returns the snoozes with one of these scope ids, ended ones included."""
        wanted = set(scope_ids)
        return tuple(each for each in self._ledger.snoozes.values() if each.scope.id in wanted)

    def get(self, snooze_id: str) -> Snooze | None:
        """Returns one snooze."""
        return self._ledger.snoozes.get(snooze_id)

    def add(self, snooze: Snooze, event: SnoozeEvent) -> None:
        """Writes a new snooze and its history together; `Conflict` if its id is taken."""
        if snooze.id in self._ledger.snoozes:
            raise Conflict(f"snooze {snooze.id}: another writer was first")
        self._write(snooze, event)

    def save(self, snooze: Snooze, event: SnoozeEvent | None = None) -> None:
        """Writes a snooze and its history together.

        Raises `Conflict` unless its version is one more than the stored one.
        """
        self._ledger.check_version(snooze)
        self._write(snooze, event)

    def events(self, snooze_id: str) -> tuple[SnoozeEvent, ...]:
        """Returns a snooze's history, oldest first."""
        history = self._ledger.snooze_history
        return tuple(history[key] for key in sorted(history) if key[0] == snooze_id)

    def _write(self, snooze: Snooze, event: SnoozeEvent | None) -> None:
        self._ledger.snoozes[snooze.id] = snooze
        if event:
            key = event.snooze_id, event.at, event.version, event.kind
            self._ledger.snooze_history[key] = event


class MemoryJournal:
    """`Journal`: the finished part of the ledger, written.

    `events` and `scans` show its content.
    """

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    @property
    def events(self) -> tuple[HistoryEvent, ...]:
        """The history that was written, in that order."""
        return tuple(self._ledger.history.values())

    @property
    def scans(self) -> tuple[ScanRecord, ...]:
        """The scans that were recorded, in that order."""
        return tuple(self._ledger.scans.values())

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Appends history. The same event twice is one event."""
        for event in events:
            self._ledger.history[event.key] = event

    def find(self, keys: Iterable[EventKey]) -> tuple[HistoryEvent, ...]:
        """Returns the events that are stored under these keys."""
        history = self._ledger.history
        return tuple(history[key] for key in dict.fromkeys(keys) if key in history)

    def record(self, scan: ScanRecord) -> None:
        """Keeps the numbers of a scan."""
        self._ledger.scans[scan.scan_id] = scan


class MemoryArchive:
    """`Archive`: the finished part of the ledger, looked up."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def events_of(self, finding_id: str) -> tuple[HistoryEvent, ...]:
        """Returns a finding's history, oldest first."""
        events = (each for each in self._ledger.history.values() if each.finding_id == finding_id)
        return tuple(sorted(events, key=oldest_first))

    def scans(self, after: str | None, limit: int) -> tuple[ScanRecord, ...]:
        """Returns at most `limit` scans, newest first, after the scan id `after`."""
        scans = self._ledger.scans
        ids = sorted((each for each in scans if after is None or each < after), reverse=True)
        return tuple(scans[each] for each in ids[:limit])

    def days(self, since: str) -> tuple[Day, ...]:
        """Returns the days with numbers since a date, oldest first."""
        days = self._ledger.days
        return tuple(days[each] for each in sorted(days) if each >= since)

    def facts_of(self, day: str) -> Iterator[FactRow]:
        """Yields the facts of a day, newest first."""
        rows = self._ledger.facts
        yield from (rows[first] for first in sorted(rows, reverse=True) if rows[first].day == day)

    def find(self, keys: Iterable[EventKey]) -> tuple[HistoryEvent, ...]:
        """Returns the events that are stored under these keys."""
        return MemoryJournal(self._ledger).find(keys)

    def latest_monthly(self) -> str | None:
        """Returns the bucket key of the newest monthly report that is stored."""
        messages = (*self._ledger.messages.values(), *self._ledger.sent.values())
        stored = {
            message.id: file.key
            for message in messages
            if message.id.startswith(MESSAGE_PREFIX)
            for file in message.stored_files
        }
        return stored[max(stored)] if stored else None
