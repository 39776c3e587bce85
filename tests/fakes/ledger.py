"""The ledger in memory: its rows, and the lease on them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.announcement import ChannelState
from chalicelib.domain.errors import Conflict
from chalicelib.domain.history import (
    EventKind,
    HistoryEvent,
    SnoozeEvent,
    SnoozeEventKind,
    oldest_first,
)
from chalicelib.domain.job import Job
from chalicelib.domain.message import Message, Step
from chalicelib.domain.monthly import MESSAGE_PREFIX
from chalicelib.domain.scan import ScanRecord
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.ports import MAX_SETTLED_SNOOZES, OpenWork, Staged


@dataclass(slots=True)
class MemoryLedger:
    """The ledger's rows, shared by the adapters of this package as the real table is.

    `lease` is owner and end; `completed` maps a job's key to when it was completed.
    """

    lease: tuple[str, datetime] | None = None
    jobs: dict[str, Job] = field(default_factory=dict)
    completed: dict[str, datetime] = field(default_factory=dict)
    unannounced_scans: set[str] = field(default_factory=set)
    messages: dict[str, Message] = field(default_factory=dict)
    sent: dict[str, Message] = field(default_factory=dict)
    channel_state: ChannelState = field(default_factory=ChannelState)
    snoozes: dict[str, Snooze] = field(default_factory=dict)
    snooze_history: dict[tuple[str, datetime, int, SnoozeEventKind], SnoozeEvent] = field(
        default_factory=dict
    )
    history: dict[tuple[str, datetime, EventKind], HistoryEvent] = field(default_factory=dict)
    scans: dict[str, ScanRecord] = field(default_factory=dict)

    def check_version(self, snooze: Snooze) -> None:
        """`Conflict` unless the stored snooze is the one version before this one."""
        stored = self.snoozes.get(snooze.id)
        if stored is None or stored.version != snooze.version - 1:
            raise Conflict(f"snooze {snooze.id}: somebody else wrote first")


class MemoryLease:
    """The right to make a pass: `Lease`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def acquire(self, owner: str, now: datetime, until: datetime) -> bool:
        """Take it if it is free, has run out, or is held by `owner` already."""
        held = self._ledger.lease
        if held and held[0] != owner and held[1] > now:
            return False
        self._ledger.lease = owner, until
        return True

    def release(self, owner: str) -> None:
        """Let go, if `owner` still holds it."""
        held = self._ledger.lease
        if held and held[0] == owner:
            self._ledger.lease = None


class MemoryWork:
    """`Work`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def enqueue(self, job: Job) -> bool:
        """Write a job down, unless it is or was."""
        if job.key in self._ledger.jobs or job.key in self._ledger.completed:
            return False
        self._ledger.jobs[job.key] = job
        return True

    def open(self) -> OpenWork:
        """What is unfinished as of now."""
        ledger = self._ledger
        return OpenWork(
            jobs=tuple(sorted(ledger.jobs.values(), key=lambda each: (each.enqueued_at, each.key))),
            unannounced_scans=tuple(sorted(ledger.unannounced_scans)),
            messages=tuple(
                sorted(ledger.messages.values(), key=lambda each: (each.created_at, each.id))
            ),
            channel_state=ledger.channel_state,
        )

    def mark_unannounced(self, scan_id: str) -> None:
        """Mark a scan whose findings no message tells yet."""
        self._ledger.unannounced_scans.add(scan_id)

    def stage(self, staged: Staged, now: datetime) -> None:
        """Check every condition, then write everything."""
        ledger, message = self._ledger, staged.message
        if len(staged.settled_snoozes) > MAX_SETTLED_SNOOZES:
            raise ValueError(f"more than {MAX_SETTLED_SNOOZES} settled snoozes in one decision")
        if message and (message.id in ledger.messages or message.id in ledger.sent):
            raise Conflict(f"message {message.id}: somebody else wrote first")
        for snooze in staged.settled_snoozes:
            ledger.check_version(snooze)
        if message:
            ledger.messages[message.id] = message
        ledger.unannounced_scans.difference_update(staged.unannounced_scans)
        for job in staged.completed:
            ledger.jobs.pop(job.key, None)
            ledger.completed[job.key] = now
        ledger.snoozes.update({snooze.id: snooze for snooze in staged.settled_snoozes})
        ledger.channel_state = staged.channel_state or ledger.channel_state

    def record(self, message: Message, now: datetime) -> None:  # noqa: ARG002 - nothing expires here
        """Keep the steps; a sent message leaves the unfinished part."""
        ledger = self._ledger
        if message.sent:
            ledger.messages.pop(message.id, None)
            ledger.sent[message.id] = message
        elif message.id in ledger.messages:
            ledger.messages[message.id] = message
        else:
            raise Conflict(f"message {message.id}: somebody else has finished it")


class MemorySnoozes:
    """`Snoozes`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def all(self) -> tuple[Snooze, ...]:
        """Every snooze as of now."""
        return tuple(self._ledger.snoozes.values())

    def unsettled(self) -> tuple[Snooze, ...]:
        """Those whose end nobody was told of, as of now."""
        return tuple(each for each in self._ledger.snoozes.values() if each.settled_at is None)

    def about(self, scope_ids: Iterable[str]) -> tuple[Snooze, ...]:
        """Those of these scopes, as of now."""
        wanted = set(scope_ids)
        return tuple(each for each in self._ledger.snoozes.values() if each.scope.id in wanted)

    def get(self, snooze_id: str) -> Snooze | None:
        """One snooze as of now."""
        return self._ledger.snoozes.get(snooze_id)

    def add(self, snooze: Snooze, event: SnoozeEvent) -> None:
        """Write a new snooze and its history; `Conflict` where its id is taken."""
        if snooze.id in self._ledger.snoozes:
            raise Conflict(f"snooze {snooze.id}: somebody else wrote first")
        self._write(snooze, event)

    def save(self, snooze: Snooze, event: SnoozeEvent | None = None) -> None:
        """Write a snooze over the version before it, and its history, else `Conflict`."""
        self._ledger.check_version(snooze)
        self._write(snooze, event)

    def events(self, snooze_id: str) -> tuple[SnoozeEvent, ...]:
        """A snooze's history in order of time and version."""
        history = self._ledger.snooze_history
        return tuple(history[key] for key in sorted(history) if key[0] == snooze_id)

    def _write(self, snooze: Snooze, event: SnoozeEvent | None) -> None:
        self._ledger.snoozes[snooze.id] = snooze
        if event:
            key = event.snooze_id, event.at, event.version, event.kind
            self._ledger.snooze_history[key] = event


class MemoryJournal:
    """`Journal`, and what it holds."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    @property
    def events(self) -> tuple[HistoryEvent, ...]:
        """What was written, in order."""
        return tuple(self._ledger.history.values())

    @property
    def scans(self) -> tuple[ScanRecord, ...]:
        """The passes recorded, in order."""
        return tuple(self._ledger.scans.values())

    def write(self, events: Iterable[HistoryEvent]) -> None:
        """Keep each event once."""
        for event in events:
            self._ledger.history[event.finding_id, event.at, event.kind] = event

    def record(self, scan: ScanRecord) -> None:
        """Keep what a pass did."""
        self._ledger.scans[scan.scan_id] = scan


class MemoryArchive:
    """`Archive`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def events_of(self, finding_id: str) -> tuple[HistoryEvent, ...]:
        """A finding's history in order of time."""
        events = (each for each in self._ledger.history.values() if each.finding_id == finding_id)
        return tuple(sorted(events, key=oldest_first))

    def scans(self, after: str | None, limit: int) -> tuple[ScanRecord, ...]:
        """At most `limit` passes behind `after`, by id backwards."""
        scans = self._ledger.scans
        ids = sorted((each for each in scans if after is None or each < after), reverse=True)
        return tuple(scans[each] for each in ids[:limit])

    def latest_monthly(self) -> str | None:
        """The bucket key of the newest monthly report that is stored."""
        messages = (*self._ledger.messages.values(), *self._ledger.sent.values())
        stored = {
            message.id: message.done[Step.STORE]
            for message in messages
            if message.id.startswith(MESSAGE_PREFIX) and Step.STORE in message.done
        }
        return stored[max(stored)] if stored else None
