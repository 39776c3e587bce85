"""A message: frozen when it is decided, then delivered by each output in recorded steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.domain.history import NO_FACTS, Receipt
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.summary import AlertSummary


class Source(StrEnum):
    """What a CSV is rebuilt from if it was not stored at once.

    SCANS: stored findings of an alert · CHANGES: facts · EVERYTHING: all stored findings.
    """

    SCANS = "scans"
    CHANGES = "changes"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A message's CSV: its key in the bucket, its title, and what it can be rebuilt from.

    `stored` says that it was in the bucket before the message was written.
    """

    key: str
    title: str
    source: Source
    stored: bool = False

    @property
    def name(self) -> str:
        """The file's name, the last part of the key. A message has each name once."""
        return self.key.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Message:
    """A message to deliver, and its progress. It shows an alert or a month.

    `scan_ids` and `snooze_ids` say which findings the CSV of an alert holds.
    `changes` are the receipts between which the CSV of changes has its facts.
    `steps` are the steps that the outputs need for it, each with the name of its
    output before a dot, in the order of each output. `done` maps a step to its
    receipt.
    """

    id: str
    created_at: datetime
    alert: AlertSummary | None = None
    month: MonthlyReport | None = None
    files: tuple[CsvFile, ...] = ()
    scan_ids: tuple[str, ...] = ()
    snooze_ids: tuple[str, ...] = ()
    changes: tuple[Receipt, Receipt] = (NO_FACTS, NO_FACTS)
    steps: tuple[str, ...] = ()
    done: Mapping[str, str] = field(default_factory=dict)

    @property
    def pending(self) -> tuple[str, ...]:
        """The steps that are not done, in order."""
        return tuple(step for step in self.steps if step not in self.done)

    @property
    def sent(self) -> bool:
        """Whether every step is done."""
        return not self.pending

    @property
    def stored_files(self) -> tuple[CsvFile, ...]:
        """The files that are in the bucket: from the start, or by a step with that receipt."""
        keys = set(self.done.values())
        return tuple(file for file in self.files if file.stored or file.key in keys)

    def get_file(self, name: str) -> CsvFile:
        """Returns the file of this name."""
        return next(file for file in self.files if file.name == name)

    def with_receipt(self, step: str, receipt: str) -> "Message":
        """Returns the message with one more step done."""
        return replace(self, done={**self.done, step: receipt})
