"""The ports that a pass works through, bound together once by the composition root."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from chalicelib.domain.alert import Topic
from chalicelib.domain.errors import MessageRefused, ServiceError
from chalicelib.domain.message import Message, Step
from chalicelib.domain.outcome import Outcome
from chalicelib.usecases.ports import (
    Channel,
    Clock,
    Compliance,
    Files,
    FindingStore,
    Journal,
    Lease,
    NodeStore,
    Renderer,
    Snoozes,
    Sorter,
    Work,
)

# The CSV of a message, made anew each time it is asked for: it may be larger than memory.
CsvContent: TypeAlias = Callable[[], Iterator[bytes]]

# Reading stops this long before the deadline: what was found must still be told.
ANNOUNCING_TIME = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything outside the pass. `concurrency` bounds the parallel readings of nodes."""

    compliance: Compliance
    findings: FindingStore
    nodes: NodeStore
    lease: Lease
    work: Work
    snoozes: Snoozes
    journal: Journal
    files: Files
    sorter: Sorter
    channel: Channel
    renderer: Renderer
    clock: Clock
    concurrency: int = 8
    quiet_answers: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """What one pass is asked to do, and until when.

    full: read every node whatever the watermarks say · accept_missing: a
    person says that the missing nodes are gone · braked_before: people were
    told that so many are missing that none is removed.
    """

    scan_id: str
    deadline: datetime
    full: bool = False
    accept_missing: bool = False
    braked_before: bool = False

    @property
    def read_until(self) -> datetime:
        """No reading starts at this time or later."""
        return self.deadline - ANNOUNCING_TIME


@dataclass(frozen=True, slots=True)
class StepResult:
    """One delivery step that was tried; `error` is None where it was taken."""

    message_id: str
    step: Step
    error: ServiceError | None = None

    @property
    def output_is_down(self) -> bool:
        """Whether the step failed for another reason than the very message."""
        return self.error is not None and not isinstance(self.error, MessageRefused)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a pass decided to say: the staged message and its topic, None where it is silent."""

    message: Message | None = None
    topic: Topic | None = None
    announced: int = 0
    muted: int = 0
    content: CsvContent | None = None


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What one pass did.

    pending: messages with a step still to take, oldest first · failure: what
    kept the pass from reading or telling, if anything did.
    """

    scan_id: str
    started_at: datetime
    finished_at: datetime
    outcome: Outcome | None
    announcement: Announcement
    deliveries: tuple[StepResult, ...]
    pending: tuple[Message, ...]
    failure: Exception | None = None

    @property
    def undelivered(self) -> tuple[StepResult, ...]:
        """The delivery steps that failed."""
        return tuple(each for each in self.deliveries if each.error)

    @property
    def pending_age(self) -> timedelta:
        """How long the oldest pending message has been waiting; zero where none is."""
        if not self.pending:
            return timedelta()
        return self.finished_at - self.pending[0].created_at

    @property
    def finished_a_scan(self) -> bool:
        """Whether nodes had reported anew, and the pass got to the end of all of them.

        A pass that found nothing changed finishes no scan: it cannot know
        whether the nodes are still being scanned. Neither does one that only
        looked again at nodes in doubt, which every pass does.
        """
        if self.outcome is None or self.failure is not None:
            return False
        coverage = self.outcome.coverage
        return coverage.verified > 0 and coverage.deferred == 0
