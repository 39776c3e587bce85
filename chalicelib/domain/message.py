"""A message: rendered once, then delivered in recorded steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

# The file in a thread holds at most this many rows, the worst ones. The file in the bucket is
# complete. These rows are some 5 MB, which upload within the timeout of one request to Slack.
MAX_ATTACHED_ROWS = 20_000


class Step(StrEnum):
    """A delivery step. Each is recorded on its own, and none stops the others."""

    STORE = "store"
    POST = "post"
    FILE = "file"


class Source(StrEnum):
    """Which stored findings a CSV is rebuilt from if it was not stored at once."""

    SCANS = "scans"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as Slack shows it: blocks, and the text for notifications and plain clients."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A message's CSV: its key in the bucket, its title, and what it can be rebuilt from."""

    key: str
    title: str
    source: Source

    @property
    def name(self) -> str:
        """The file's name, the last part of the key."""
        return self.key.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Message:
    """A message to deliver, and its progress.

    `done` maps a step to its receipt: the bucket key, the Slack timestamp, the
    Slack file id. `scan_ids` and `snooze_ids` say which findings the CSV holds.
    """

    id: str
    created_at: datetime
    rendered: Rendered
    csv: CsvFile | None = None
    scan_ids: tuple[str, ...] = ()
    snooze_ids: tuple[str, ...] = ()
    done: Mapping[Step, str] = field(default_factory=dict)

    @property
    def pending(self) -> tuple[Step, ...]:
        """The steps that are not done, in order."""
        steps = (Step.STORE, Step.POST, Step.FILE) if self.csv else (Step.POST,)
        return tuple(step for step in steps if step not in self.done)

    @property
    def sent(self) -> bool:
        """Whether every step is done."""
        return not self.pending

    def with_receipt(self, step: Step, receipt: str) -> "Message":
        """Returns the message with one more step done."""
        return replace(self, done={**self.done, step: receipt})
