"""A message: frozen when it is decided, then delivered by each output in recorded steps."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.history import NO_FACTS, Receipt
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.summary import AlertSummary

# What failed once is tried by the next scan. Then the pause doubles with each failure.
FIRST_PAUSE = timedelta(minutes=15)
LONGEST_PAUSE = timedelta(days=1)
# So many lead to the longest pause, and more could overflow.
MOST_DOUBLINGS = 7


class Source(StrEnum):
    """What a CSV is rebuilt from if it was not stored at once.

    SCANS: stored findings of an alert · CHANGES: facts · EVERYTHING: all stored findings.
    """

    SCANS = "scans"
    CHANGES = "changes"
    EVERYTHING = "everything"


class CsvFile(Struct, frozen=True):
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


class Trouble(Struct, frozen=True):
    """A step of one message that failed in a row, with the last code, and when to try it again."""

    failures: int
    code: str
    retry_at: datetime


class OutputState(Struct, frozen=True):
    """An output that failed in a row, with the last code, and when to try it again.

    `identity` is its identity when the pause began; empty if there is no pause, or if
    it could not be found. `later_only` says that the first steps of messages work:
    posts do, files do not.
    """

    name: str
    failures: int
    code: str
    retry_at: datetime
    identity: str = ""
    later_only: bool = False


class Message(Struct, frozen=True):
    """A message to deliver, and its progress. It shows an alert or a month.

    `text` is what a message of an earlier version showed.
    `scan_ids` and `snooze_ids` say which findings the CSV of an alert holds.
    `changes` are the receipts between which the CSV of changes has its facts.
    `steps` are the steps that the outputs need for it, each with the name of its
    output before a dot, in the order of each output. `done` maps a step to its
    receipt, `failures` a step to its trouble if that concerns only this message.
    """

    id: str
    created_at: datetime
    alert: AlertSummary | None = None
    month: MonthlyReport | None = None
    text: str = ""
    files: tuple[CsvFile, ...] = ()
    scan_ids: tuple[str, ...] = ()
    snooze_ids: tuple[str, ...] = ()
    changes: tuple[Receipt, Receipt] = (NO_FACTS, NO_FACTS)
    steps: tuple[str, ...] = ()
    done: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, Trouble] = field(default_factory=dict)

    @property
    def pending(self) -> tuple[str, ...]:
        """The steps that are not done, in order."""
        return tuple(step for step in self.steps if step not in self.done)

    @property
    def sent(self) -> bool:
        """Whether every step is done."""
        return not self.pending

    @property
    def is_notice(self) -> bool:
        """Whether the next notice replaces it: it has no file, and says nothing only once."""
        return not self.files and (self.alert is None or self.alert.is_replaceable)

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
        failures = {name: each for name, each in self.failures.items() if name != step}
        return replace(self, done={**self.done, step: receipt}, failures=failures)

    def with_failure(self, step: str, code: str, now: datetime) -> "Message":
        """Returns the message with one more failure of a step."""
        before = self.failures.get(step)
        failures = before.failures + 1 if before else 1
        trouble = Trouble(failures, code, now + compute_pause(failures))
        return replace(self, failures={**self.failures, step: trouble})


def compute_pause(failures: int) -> timedelta:
    """Returns how long to wait after so many failures in a row: none, 15 minutes, 30 … a day."""
    if failures <= 1:
        return timedelta()
    doublings = min(failures - 2, MOST_DOUBLINGS)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def add_failure(
    before: OutputState | None, name: str, code: str, now: datetime, *, is_first: bool
) -> OutputState:
    """Returns the state of an output after a step failed, without its identity.

    `is_first` says that the step is the first of its message. If first steps begin to
    fail too, that is a new trouble.
    """
    later_only = not is_first and (before is None or before.later_only)
    goes_on = before is not None and before.later_only == later_only
    failures = before.failures + 1 if before and goes_on else 1
    retry_at = now + compute_pause(failures)
    return OutputState(name, failures, code, retry_at, later_only=later_only)
