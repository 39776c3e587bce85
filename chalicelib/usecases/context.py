"""The ports that a use case works through, bound once by the composition root; and its options."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from chalicelib.domain.announcement import Alert
from chalicelib.domain.control import ControlText
from chalicelib.domain.history import ChangedFinding
from chalicelib.domain.snooze import ListedFinding
from chalicelib.domain.snooze_rules import SnoozeLimits
from chalicelib.domain.summary import AlertSummary, summarize_alert
from chalicelib.usecases.inventory import Inventory
from chalicelib.usecases.ports import (
    MAX_SETTLED_SNOOZES,
    Archive,
    Clock,
    Compliance,
    Controls,
    Executions,
    FactLog,
    FactOutput,
    Files,
    FindingPages,
    FindingStore,
    Journal,
    Lease,
    NodePages,
    NodeStore,
    Output,
    Snoozes,
    Sorter,
    Titles,
    UncheckedReader,
    UncheckedStore,
    Work,
)


class Bounds(Struct, frozen=True):
    """How much a scan handles at once. No result depends on them.

    chunk_pages: the node that reaches this number of pages of 50 items ends a
    chunk, so a chunk has at most as many nodes; it takes about 20 s if SSM allows
    5 calls a second · gone_nodes: removed together · facts_a_row: some 190 KB of
    the 400 KB that a DynamoDB row may have · ids_a_mark: some 360 KB ·
    unmarked_rows: a change of no more rows is written in one transaction, without a mark ·
    settled_snoozes: ended snoozes that one decision settles. Of more that end together,
    the rest mute until a later one · counted_nodes: so many have their findings in memory
    one by one while those that snoozes mute are counted.

    The rows of a usual chunk, its facts and its mark fit into one transaction.
    """

    chunk_pages: int = 90
    gone_nodes: int = 90
    facts_a_row: int = 5_000
    ids_a_mark: int = 10_000
    unmarked_rows: int = 90
    settled_snoozes: int = MAX_SETTLED_SNOOZES
    counted_nodes: int = 5_000


class Context(Struct, frozen=True):
    """The ports of a scan.

    `outputs` get every message, in this order. `concurrency` limits how many nodes
    are read in parallel. A finding that is not checked is remembered for `keep_unchecked`.
    `controls` has what our profile says of its controls, by id.
    """

    compliance: Compliance
    executions: Executions
    findings: FindingStore
    nodes: NodeStore
    titles: Titles
    unchecked: UncheckedStore
    facts: FactLog
    lease: Lease
    work: Work
    snoozes: Snoozes
    journal: Journal
    files: Files
    controls: Mapping[str, ControlText]
    sorter: Sorter
    outputs: tuple[Output, ...]
    render_csv: Callable[[Iterable[ListedFinding]], Iterator[bytes]]
    render_announced: Callable[[Iterable[tuple[ListedFinding, str]]], Iterator[bytes]]
    render_changes: Callable[[Iterable[ChangedFinding]], Iterator[bytes]]
    clock: Clock
    summarize: Callable[[Alert], AlertSummary] = summarize_alert
    concurrency: int = 8
    quiet_answers: bool = True
    keep_unchecked: timedelta = timedelta(days=45)
    fact_outputs: tuple[FactOutput, ...] = ()
    bounds: Bounds = Bounds()


class Acceptance(Struct, frozen=True):
    """The findings that a person accepts as not checked any more: of a node, a control, or all."""

    instance_id: str | None = None
    control_id: str | None = None


class Options(Struct, frozen=True):
    """What a caller asks of a scan beyond the usual.

    full: read every node, whatever its watermark says, and try every output, whatever
    its pause · accept_missing: the caller confirms that missing nodes are gone ·
    accept_unchecked: which findings need not be remembered any more.
    """

    full: bool = False
    accept_missing: bool = False
    accept_unchecked: Acceptance | None = None


DEFAULT_OPTIONS = Options()


class Run(Struct, frozen=True):
    """One scan to run. No reading starts at `read_until` or later.

    `braked_before` says that the channel knows of the brake.
    """

    scan_id: str
    deadline: datetime
    read_until: datetime
    options: Options = DEFAULT_OPTIONS
    braked_before: bool = False


class Inbox(Struct, frozen=True):
    """The ports of the API.

    `limits` are those of the snoozes that it accepts. `inventory` returns the open findings
    as of the last scan.
    """

    findings: FindingPages
    nodes: NodePages
    unchecked: UncheckedReader
    snoozes: Snoozes
    work: Work
    archive: Archive
    clock: Clock
    limits: SnoozeLimits
    inventory: Callable[[], Inventory]
    controls: Controls


class Author(Struct, frozen=True):
    """Who does something, and by which way."""

    name: str
    via: str = "api"
