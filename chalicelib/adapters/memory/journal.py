"""The finished part of the ledger in memory: written by a pass, looked up by people."""

from collections.abc import Iterable

from chalicelib.adapters.memory.ledger import MemoryLedger
from chalicelib.domain.history import HistoryEvent, oldest_first
from chalicelib.domain.message import Step
from chalicelib.domain.monthly import MESSAGE_PREFIX
from chalicelib.domain.scan_record import ScanRecord


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
