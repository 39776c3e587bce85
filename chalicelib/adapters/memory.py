"""The stores in memory: what the DynamoDB adapters do, for tests and for one machine."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.alert import Told
from chalicelib.domain.debt import Debt
from chalicelib.domain.errors import Conflict
from chalicelib.domain.finding import Finding
from chalicelib.domain.history import EventKind, HistoryEvent
from chalicelib.domain.message import Message
from chalicelib.domain.node import Node
from chalicelib.domain.snooze import Snooze
from chalicelib.usecases.ports import MAX_TOLD_SNOOZES, OpenWork, ScanRecord, Staged


class MemoryFindings:
    """The findings table: `FindingStore`."""

    def __init__(self) -> None:
        self._rows: dict[str, Finding] = {}

    def all(self) -> Iterator[Finding]:
        """Every finding as of now."""
        return iter(tuple(self._rows.values()))

    def of_node(self, instance_id: str) -> tuple[Finding, ...]:
        """A node's findings in the order of the index."""
        return self._ordered(row for row in self.all() if row.instance_id == instance_id)

    def of_title(self, title: str) -> tuple[Finding, ...]:
        """A title's findings in the order of the index."""
        return self._ordered(row for row in self.all() if row.title == title)

    def get(self, finding_ids: Iterable[str]) -> dict[str, Finding]:
        """Those of the ids that are stored."""
        return {each: self._rows[each] for each in finding_ids if each in self._rows}

    def put(self, findings: Iterable[Finding]) -> None:
        """Insert or replace."""
        self._rows.update({finding.finding_id: finding for finding in findings})

    def delete(self, finding_ids: Iterable[str]) -> None:
        """Remove, if stored."""
        for finding_id in finding_ids:
            self._rows.pop(finding_id, None)

    def _ordered(self, rows: Iterable[Finding]) -> tuple[Finding, ...]:
        return tuple(sorted(rows, key=lambda row: row.finding_id))


class MemoryNodes:
    """The nodes table: `NodeStore`."""

    def __init__(self) -> None:
        self._rows: dict[str, Node] = {}

    def all(self) -> tuple[Node, ...]:
        """Every node as of now."""
        return tuple(self._rows.values())

    def put(self, nodes: Iterable[Node]) -> None:
        """Insert or replace."""
        self._rows.update({node.instance_id: node for node in nodes})

    def delete(self, instance_ids: Iterable[str]) -> None:
        """Remove, if stored."""
        for instance_id in instance_ids:
            self._rows.pop(instance_id, None)


@dataclass(slots=True)
class MemoryLedger:
    """The ledger's rows, shared by the four adapters below as the real table is.

    `lease` is owner and end; `paid` maps a debt's key to when it was paid.
    """

    lease: tuple[str, datetime] | None = None
    debts: dict[str, Debt] = field(default_factory=dict)
    paid: dict[str, datetime] = field(default_factory=dict)
    open_scans: set[str] = field(default_factory=set)
    messages: dict[str, Message] = field(default_factory=dict)
    sent: dict[str, Message] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    snoozes: dict[str, Snooze] = field(default_factory=dict)
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
    """The unfinished part of the ledger: `Work`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def owe(self, debt: Debt) -> bool:
        """Write a debt down, unless it is or was."""
        if debt.key in self._ledger.debts or debt.key in self._ledger.paid:
            return False
        self._ledger.debts[debt.key] = debt
        return True

    def open(self) -> OpenWork:
        """What is unfinished as of now."""
        ledger = self._ledger
        return OpenWork(
            debts=tuple(sorted(ledger.debts.values(), key=lambda each: (each.owed_at, each.key))),
            open_scans=tuple(sorted(ledger.open_scans)),
            messages=tuple(
                sorted(ledger.messages.values(), key=lambda each: (each.created_at, each.id))
            ),
            told=ledger.told,
        )

    def mark_opened(self, scan_id: str) -> None:
        """Mark a scan whose findings no message tells yet."""
        self._ledger.open_scans.add(scan_id)

    def stage(self, staged: Staged, now: datetime) -> None:
        """Check every condition, then write everything."""
        ledger, message = self._ledger, staged.message
        if len(staged.told_snoozes) > MAX_TOLD_SNOOZES:
            raise ValueError(f"more than {MAX_TOLD_SNOOZES} told snoozes in one decision")
        if message and (message.id in ledger.messages or message.id in ledger.sent):
            raise Conflict(f"message {message.id}: somebody else wrote first")
        for snooze in staged.told_snoozes:
            ledger.check_version(snooze)
        if message:
            ledger.messages[message.id] = message
        ledger.open_scans.difference_update(staged.open_scans)
        for debt in staged.paid:
            ledger.debts.pop(debt.key, None)
            ledger.paid[debt.key] = now
        ledger.snoozes.update({snooze.id: snooze for snooze in staged.told_snoozes})
        ledger.told = staged.told or ledger.told

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
    """The snoozes of the ledger: `Snoozes`."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def all(self) -> tuple[Snooze, ...]:
        """Every snooze as of now."""
        return tuple(self._ledger.snoozes.values())

    def add(self, snooze: Snooze) -> None:
        """Write a new snooze; `Conflict` where its id is taken."""
        if snooze.id in self._ledger.snoozes:
            raise Conflict(f"snooze {snooze.id}: somebody else wrote first")
        self._ledger.snoozes[snooze.id] = snooze

    def end(self, snooze: Snooze) -> None:
        """Write an ended snooze over the version before it."""
        self._ledger.check_version(snooze)
        self._ledger.snoozes[snooze.id] = snooze


class MemoryJournal:
    """The finished part of the ledger: `Journal`, and what it holds."""

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
        self._ledger.scans[scan.outcome.scan_id] = scan
