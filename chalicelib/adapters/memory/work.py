"""The unfinished part of the ledger in memory."""

from datetime import datetime

from chalicelib.adapters.memory.ledger import MemoryLedger
from chalicelib.domain.errors import Conflict
from chalicelib.domain.job import Job
from chalicelib.domain.message import Message
from chalicelib.usecases.ports import MAX_SETTLED_SNOOZES, OpenWork, Staged


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
            raise ValueError(f"more than {MAX_SETTLED_SNOOZES} told snoozes in one decision")
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
