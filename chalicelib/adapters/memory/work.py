"""The unfinished part of the ledger in memory."""

from datetime import datetime

from chalicelib.adapters.memory.ledger import MemoryLedger
from chalicelib.domain.debt import Debt
from chalicelib.domain.errors import Conflict
from chalicelib.domain.message import Message
from chalicelib.usecases.ports import MAX_TOLD_SNOOZES, OpenWork, Staged


class MemoryWork:
    """`Work`."""

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
