"""The values of an announcement: what a message shows, and what the channel already knows."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct, field

from chalicelib.domain.finding import Finding
from chalicelib.domain.history import NO_FACTS, ChangedFinding, EventKind, Receipt
from chalicelib.domain.scan import Job, Outcome
from chalicelib.domain.snooze import Snooze, SnoozeNotes

# Above this number of unverified nodes only TOO_MANY is remembered, not their ids: a DynamoDB
# item is limited to 400 KB, and nobody reads thousands of ids.
MAX_REMEMBERED_NODES = 2_000
TOO_MANY = frozenset({"*"})
# For the same reason, and because each of them takes up to 500 bytes.
MAX_REMEMBERED_ASSOCIATIONS = 500


class LineReason(StrEnum):
    """Why a finding is announced."""

    NEW = "new"
    WORSE = "worse"
    SNOOZE_ENDED = "snooze ended"


class Topic(StrEnum):
    """The main subject of a message."""

    NEW = "new"
    UNCHECKED = "not checked"
    NOTHING_NEW = "nothing new"
    PARTLY_CHECKED = "partly checked"
    NO_REPORT = "no report"
    INCOMPLETE = "incomplete"
    COMPLETE_AGAIN = "complete again"
    SILENT = "silent"
    SNOOZED = "snoozed"
    FIXED = "fixed"


class DecisionReason(StrEnum):
    """Why a scan announces something, or why it stays silent."""

    NEW_FINDINGS = "there are findings to announce"
    UNCHECKED = "findings are not checked any more"
    UNVERIFIED_NODES = "nodes stay unverified that were not announced as such"
    DEFERRED_NODES = "nodes have been deferred for half an hour"
    BRAKE = "the brake has engaged"
    EXECUTION = "an execution waits for its answer"
    COMPLETE_AGAIN = "an announced notice is over"
    SILENT_NODES = "nodes have fallen silent or have left"
    SNOOZES = "wide or permanent snoozes were made"
    FIXES = "fixes have been in no message for an hour"
    NO_EXECUTION = "no execution waits for its answer"
    QUIET_ANSWERS_OFF = "quiet answers are turned off"
    FEW_TARGETS = "the execution was for fewer than half of the association's usual targets"
    ANSWERED_RECENTLY = "the association was answered less than an hour ago"
    ALERTED_SINCE = "an alert was sent since the execution began"


class Line(Struct, frozen=True):
    """One finding to announce, and the snooze that ended, if one did."""

    finding: Finding
    reason: LineReason
    snooze: Snooze | None = None


class Lines(Struct, frozen=True):
    """What a message lists: findings, and snoozes to mention.

    `muted` is the number of new and worse findings that a snooze mutes.
    """

    announced: tuple[Line, ...] = ()
    muted: int = 0
    notes: SnoozeNotes = SnoozeNotes()


class AssociationState(Struct, frozen=True):
    """What the channel knows of one association, and how large its executions are.

    answered_at: the last message that answered it, an alert or a quiet answer ·
    quiet_at: the last quiet answer · cleared: when the execution began whose
    all-clear was the last answer, None if that was none · sizes: the largest numbers
    of targets lately, each with its time; later ones are smaller.
    """

    answered_at: datetime | None = None
    quiet_at: datetime | None = None
    cleared: datetime | None = None
    sizes: tuple[tuple[datetime, int], ...] = ()


NEVER_ANSWERED = AssociationState()


class ChannelState(Struct, frozen=True):
    """What the channel has already been told, so that one-off notices are not repeated.

    unverified: nodes announced as such, `TOO_MANY` above `MAX_REMEMBERED_NODES` ·
    deferred, braked: announced as begun · deferred_since: since when scans have
    deferred nodes · associations: by id · facts: the last fact that was
    considered · changes: facts that are
    in no message yet, by kind (`NAMED`) · unannounced_after: the last fact before the first
    of them · fixed_since: when the first of the fixed ones was read · alternation_at: when
    it was last said that two executions overwrite each other ·
    silent: nodes announced as such, `TOO_MANY` as above · silent_at: when a message of
    its own was last about silent nodes · returned: silent nodes that report again, and
    leaving: nodes that are missing, or that have left, of both those that are in no
    message yet, `MAX_REMEMBERED_NODES` at most · unfollowed_after: the last fact before
    those that snoozes could not follow yet.
    """

    unverified: frozenset[str] = frozenset()
    deferred: bool = False
    deferred_since: datetime | None = None
    braked: bool = False
    last_alert_at: datetime | None = None
    associations: Mapping[str, AssociationState] = field(default_factory=dict)
    facts: Receipt = NO_FACTS
    changes: Mapping[EventKind, int] = field(default_factory=dict)
    unannounced_after: Receipt | None = None
    fixed_since: datetime | None = None
    alternation_at: datetime | None = None
    silent: frozenset[str] = frozenset()
    silent_at: datetime | None = None
    returned: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    unfollowed_after: Receipt | None = None


class Alert(Struct, frozen=True):
    """Everything that the message of a scan shows.

    jobs: the executions it answers, newest first · targets: how many they have, 0 if
    that is unknown · reported: targets that gave a result, or nodes read if there is
    no execution · without_result: the other targets, where SSM listed them · changes: facts
    since the last message, by kind · vanished: findings that vanished without proof of a fix
    since then, as far as their names are known · alternating: nodes to name because two
    executions overwrite each other there · recovered: an announced notice is over ·
    csv_key: where its CSV is in the bucket · silent: nodes that fell silent since
    the last message, to when their last execution was seen · gone_nodes: those that
    left · returned: silent ones that report again.
    """

    topic: Topic
    outcome: Outcome
    lines: Lines = Lines()
    changes: Mapping[EventKind, int] = field(default_factory=dict)
    vanished: tuple[ChangedFinding, ...] = ()
    alternating: tuple[str, ...] = ()
    recovered: bool = False
    jobs: tuple[Job, ...] = ()
    targets: int = 0
    reported: int = 0
    without_result: tuple[str, ...] = ()
    last_alert_at: datetime | None = None
    csv_key: str = ""
    silent: Mapping[str, datetime] = field(default_factory=dict)
    gone_nodes: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()


class Decision(Struct, frozen=True):
    """What to announce (`alert` None: nothing) and why, and what follows from it.

    completed: the jobs that this answers · channel_state: what the channel
    knows afterwards.
    """

    alert: Alert | None
    reason: DecisionReason
    completed: tuple[Job, ...]
    channel_state: ChannelState
