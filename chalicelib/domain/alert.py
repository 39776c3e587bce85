"""What a pass has to say: the one place where that is decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.finding import Finding
from chalicelib.domain.job import Job
from chalicelib.domain.outcome import Coverage, Outcome
from chalicelib.domain.snooze import Muting, Snooze

# A quiet answer is given once in this time for one association.
QUIET_ANSWER_INTERVAL = timedelta(hours=1)
# A doubt that may pass by itself, and nodes left to read, are told once they last this long.
SETTLING_TIME = timedelta(minutes=30)
# With more doubtful nodes than this, who they are is not remembered, only that they are many:
# a DynamoDB item ends at 400 KB, and nobody reads thousands of ids.
MAX_REMEMBERED_NODES = 2_000
TOO_MANY = frozenset({"*"})


class LineReason(StrEnum):
    """Why a finding is in a message."""

    NEW = "new"
    SNOOZE_ENDED = "snooze ended"


class Topic(StrEnum):
    """What a message is mainly about."""

    NEW = "new"
    NOTHING_NEW = "nothing new"
    NO_REPORT = "no report"
    INCOMPLETE = "incomplete"
    COMPLETE_AGAIN = "complete again"


@dataclass(frozen=True, slots=True)
class Line:
    """One finding of a message, why it is there, and the snooze that ended."""

    finding: Finding
    why: LineReason
    snooze: Snooze | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """The findings to tell, and how many new ones a snooze keeps quiet."""

    announced: tuple[Line, ...] = ()
    muted: int = 0


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What people know: the state behind notices that are told once.

    unverified: nodes told to be in doubt, `MANY` beyond `MAX_REMEMBERED` · left,
    braked: told as begun · deferred_since: since when passes have left nodes ·
    answered: association to the time of its last quiet answer.
    """

    unverified: frozenset[str] = frozenset()
    deferred: bool = False
    deferred_since: datetime | None = None
    braked: bool = False
    last_alert_at: datetime | None = None
    answered: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def incomplete(self) -> bool:
        """Whether people were told of something that has not been told to be over."""
        return bool(self.unverified or self.deferred or self.braked)


@dataclass(frozen=True, slots=True)
class Alert:
    """Everything that a scan message shows.

    `jobs` are the executions it answers, newest first. `csv_key` is where its
    CSV lies in the bucket. `reported` counts the
    nodes that reported for the newest of them (without one: that were read),
    `not_scanned` are the listed nodes that did not. `recovered` says that what
    people knew to be incomplete is whole again.
    """

    topic: Topic
    outcome: Outcome
    lines: Lines = Lines()
    recovered: bool = False
    jobs: tuple[Job, ...] = ()
    reported: int = 0
    not_scanned: tuple[str, ...] = ()
    last_alert_at: datetime | None = None
    csv_key: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to say (None: nothing), which jobs that pays, and what people know then."""

    alert: Alert | None
    completed: tuple[Job, ...]
    channel_state: ChannelState


def collect_lines(
    opened: Iterable[Finding],
    ended: Sequence[tuple[Snooze, Sequence[Finding]]],
    snoozes: Sequence[Snooze],
    now: datetime,
) -> Lines:
    """New findings, then those whose snooze ended; each once, none that is muted now."""
    muting = Muting(snoozes, now)
    lines = {finding.key: Line(finding, LineReason.NEW) for finding in opened}
    for snooze, findings in ended:
        for finding in findings:
            lines.setdefault(finding.key, Line(finding, LineReason.SNOOZE_ENDED, snooze))
    heard = tuple(line for line in lines.values() if muting.of(line.finding) is None)
    new = sum(line.why is LineReason.NEW for line in lines.values())
    return Lines(heard, muted=new - sum(line.why is LineReason.NEW for line in heard))


def decide_announcement(
    outcome: Outcome,
    lines: Lines,
    jobs: Sequence[Job],
    state: ChannelState,
    now: datetime,
    *,
    quiet_answers: bool,
) -> Decision:
    """Choose the one message of a pass.

    Findings come first; they answer every execution that can be answered.
    Else something that began is state, else an execution is answered, else
    something that is over is state, else nothing is said.
    """
    coverage = outcome.coverage
    payable = _answerable(jobs, coverage, now)
    ask = [job for job in payable if quiet_answers and _wants_answer(job, coverage, state, now)]
    newest = _spoken_for(ask, coverage) or next(iter(payable), None)
    topic = _topic(coverage, state, _spoken_for(ask, coverage), now, lines=bool(lines.announced))
    known = _known(coverage, state, topic, now)
    if topic is None:
        return Decision(None, payable, known)
    alert = Alert(
        topic=topic,
        outcome=outcome,
        lines=lines,
        recovered=state.incomplete and coverage.complete,
        jobs=tuple(sorted(payable, key=lambda job: job is not newest)),
        reported=_reported(coverage, newest),
        not_scanned=_not_scanned(coverage, newest),
        last_alert_at=state.last_alert_at,
    )
    if topic is Topic.NEW:
        return Decision(alert, payable, replace(known, last_alert_at=now))
    answered = {**known.answered, **{job.association_id: now for job in ask}}
    return Decision(alert, payable, replace(known, answered=answered))


def _answerable(jobs: Sequence[Job], coverage: Coverage, now: datetime) -> tuple[Job, ...]:
    """The executions that can be answered, newest first.

    While something may still settle, an answer waits for it, but not for ever.
    """
    reports = coverage.reports.values()
    settling = bool(coverage.deferred or coverage.settling)
    can = [
        job
        for job in jobs
        if job.answerable(reports, now) and (not settling or now - job.enqueued_at >= SETTLING_TIME)
    ]
    return tuple(sorted(can, key=lambda job: (job.since, job.key), reverse=True))


def _wants_answer(job: Job, coverage: Coverage, state: ChannelState, now: datetime) -> bool:
    """Not for a few nodes of many, not too often, and not where an alert has answered already.

    SSM keeps whole seconds, so an alert of the same second answers for nothing.
    """
    last = state.answered.get(job.association_id)
    alerted = state.last_alert_at
    return (
        job.covers_half(coverage.known)
        and (last is None or now - last >= QUIET_ANSWER_INTERVAL)
        and (alerted is None or alerted.replace(microsecond=0) <= job.since)
    )


def _spoken_for(ask: Sequence[Job], coverage: Coverage) -> Job | None:
    """The execution that an answer is about: the newest that a node has reported for."""
    reported = (job for job in ask if _reported(coverage, job))
    return next(reported, next(iter(ask), None))


def _topic(
    coverage: Coverage, state: ChannelState, asked: Job | None, now: datetime, *, lines: bool
) -> Topic | None:
    if lines:
        return Topic.NEW
    if _begun(coverage, state, now) or (asked and not coverage.complete):
        return Topic.INCOMPLETE
    if asked:
        return Topic.NOTHING_NEW if _reported(coverage, asked) else Topic.NO_REPORT
    if state.incomplete and coverage.complete:
        return Topic.COMPLETE_AGAIN
    return None


def _begun(coverage: Coverage, state: ChannelState, now: datetime) -> bool:
    """Whether something is to be told that lasts, and that people do not know yet."""
    settled = coverage.unverified.keys() - coverage.settling
    doubtful = state.unverified != TOO_MANY and not state.unverified.issuperset(settled)
    since = state.deferred_since
    lasting = coverage.deferred > 0 and since is not None and now - since >= SETTLING_TIME
    return doubtful or (lasting and not state.deferred) or (coverage.braked and not state.braked)


def _known(
    coverage: Coverage, state: ChannelState, topic: Topic | None, now: datetime
) -> ChannelState:
    """What people know after this pass; answers older than their hour are forgotten."""
    # a node that the time did not suffice for is as doubtful as it was
    settled = coverage.unverified.keys() - coverage.settling
    doubtful = state.unverified.union(settled) if coverage.deferred else settled
    many = len(doubtful) > MAX_REMEMBERED_NODES or (
        coverage.deferred and state.unverified == TOO_MANY
    )
    deferred = coverage.deferred > 0
    return ChannelState(
        unverified=TOO_MANY if many else frozenset(doubtful),
        deferred=deferred and (state.deferred or topic is Topic.INCOMPLETE),
        deferred_since=(state.deferred_since or now) if deferred else None,
        braked=coverage.braked,
        last_alert_at=state.last_alert_at,
        answered={
            key: at for key, at in state.answered.items() if now - at < QUIET_ANSWER_INTERVAL
        },
    )


def _reported(coverage: Coverage, job: Job | None) -> int:
    if job is None:
        return coverage.read
    return sum(at >= job.since for at in coverage.reports.values())


def _not_scanned(coverage: Coverage, job: Job | None) -> tuple[str, ...]:
    if job is None or not job.covers_half(coverage.known):
        return ()
    return tuple(sorted(node for node, at in coverage.reports.items() if at < job.since))
