"""A message: rendered once, then delivered in recorded steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

# A file in a thread holds no more rows than this, the worst; the bucket has the whole of it. Nobody
# reads more in a chat, and some 5 MB go up within the time that one request to Slack has.
MAX_ATTACHED_ROWS = 20_000


class Step(StrEnum):
    """A delivery step; each is recorded on its own and none stops the others."""

    STORE = "store"
    POST = "post"
    FILE = "file"


class Source(StrEnum):
    """Which stored rows a CSV that could not be stored at once is made of again."""

    SCANS = "scans"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Rendered:
    """What Slack shows: blocks, and the text for notifications and plain clients."""

    text: str
    blocks: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """Where a message's CSV lies in the bucket, and what it is made of if it does not yet."""

    key: str
    title: str
    source: Source

    @property
    def name(self) -> str:
        """The file's name, the last part of the key."""
        return self.key.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be delivered, and how far that has come.

    `done` maps a step to its receipt: the bucket key, the Slack timestamp, the
    Slack file id. `scan_ids` and `snooze_ids` say which rows the CSV holds.
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
        """The steps still to take, in order."""
        steps = (Step.STORE, Step.POST, Step.FILE) if self.csv else (Step.POST,)
        return tuple(step for step in steps if step not in self.done)

    @property
    def sent(self) -> bool:
        """Whether nothing is left to do."""
        return not self.pending

    def after(self, step: Step, receipt: str) -> "Message":
        """The message with one more step recorded."""
        return replace(self, done={**self.done, step: receipt})
