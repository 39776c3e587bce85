"""The snoozes in memory, and their history."""

from collections.abc import Iterable

from chalicelib.adapters.memory.ledger import MemoryLedger
from chalicelib.domain.errors import Conflict
from chalicelib.domain.history import SnoozeEvent
from chalicelib.domain.snooze import Snooze


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
        return tuple(each for each in self._ledger.snoozes.values() if each.scope_id in wanted)

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
