"""The ledger in memory: its rows, and the lease on them."""

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.alert import ChannelState
from chalicelib.domain.errors import Conflict
from chalicelib.domain.history import EventKind, HistoryEvent, SnoozeEvent, SnoozeEventKind
from chalicelib.domain.job import Job
from chalicelib.domain.message import Message
from chalicelib.domain.scan_record import ScanRecord
from chalicelib.domain.snooze import Snooze


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
