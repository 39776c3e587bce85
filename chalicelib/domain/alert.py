"""What a pass has to say: the one place where that is decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.debt import Debt
from chalicelib.domain.finding import Finding
from chalicelib.domain.outcome import Coverage, Outcome
from chalicelib.domain.snooze import Muting, Snooze

# A quiet answer is given once in this time for one association.
QUIET_EVERY = timedelta(hours=1)
# A doubt that may pass by itself, and nodes left to read, are told once they last this long.
SETTLE = timedelta(minutes=30)
# With more doubtful nodes than this, who they are is not remembered, only that they are many:
# a DynamoDB item ends at 400 KB, and nobody reads thousands of ids.
MAX_REMEMBERED = 2_000
MANY = frozenset({"*"})


class Why(StrEnum):
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
    why: Why
    snooze: Snooze | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """The findings to tell, and how many new ones a snooze keeps quiet."""

    told: tuple[Line, ...] = ()
    muted: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What people know: the state behind notices that are told once.

    unproven: nodes told to be in doubt, `MANY` beyond `MAX_REMEMBERED` · left,
    braked: told as begun · left_since: since when passes have left nodes ·
    answered: association to the time of its last quiet answer.
    """

    unproven: frozenset[str] = frozenset()
    left: bool = False
    left_since: datetime | None = None
    braked: bool = False
    last_alert_at: datetime | None = None
    answered: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def incomplete(self) -> bool:
        """Whether people were told of something that has not been told to be over."""
        return bool(self.unproven or self.left or self.braked)


@dataclass(frozen=True, slots=True)
class Alert:
    """Everything that a scan message shows.

    `debts` are the executions it answers, newest first. `csv_key` is where its
    CSV lies in the bucket. `reported` counts the
    nodes that reported for the newest of them (without one: that were read),
    `not_scanned` are the listed nodes that did not. `recovered` says that what
    people knew to be incomplete is whole again.
    """

    topic: Topic
    outcome: Outcome
    lines: Lines = Lines()
    recovered: bool = False
    debts: tuple[Debt, ...] = ()
    reported: int = 0
    not_scanned: tuple[str, ...] = ()
    last_alert_at: datetime | None = None
    csv_key: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to say (None: nothing), which debts that pays, and what people know then."""

    alert: Alert | None
    paid: tuple[Debt, ...]
    told: Told


def lines_of(
    opened: Iterable[Finding],
    ended: Sequence[tuple[Snooze, Sequence[Finding]]],
    snoozes: Sequence[Snooze],
    now: datetime,
) -> Lines:
    """New findings, then those whose snooze ended; each once, none that is muted now."""
    muting = Muting(snoozes, now)
    lines = {finding.key: Line(finding, Why.NEW) for finding in opened}
    for snooze, findings in ended:
        for finding in findings:
            lines.setdefault(finding.key, Line(finding, Why.SNOOZE_ENDED, snooze))
    heard = tuple(line for line in lines.values() if muting.of(line.finding) is None)
    new = sum(line.why is Why.NEW for line in lines.values())
    return Lines(heard, muted=new - sum(line.why is Why.NEW for line in heard))


def decide(
    outcome: Outcome,
    lines: Lines,
    debts: Sequence[Debt],
    told: Told,
    now: datetime,
    *,
    quiet_answers: bool,
) -> Decision:
    """Choose the one message of a pass.

    Findings come first; they answer every execution that can be answered.
    Else something that began is told, else an execution is answered, else
    something that is over is told, else nothing is said.
    """
    coverage = outcome.coverage
    payable = _answerable(debts, coverage, now)
    ask = [debt for debt in payable if quiet_answers and _wants_answer(debt, coverage, told, now)]
    newest = _spoken_for(ask, coverage) or next(iter(payable), None)
    topic = _topic(coverage, told, _spoken_for(ask, coverage), now, lines=bool(lines.told))
    known = _known(coverage, told, topic, now)
    if topic is None:
        return Decision(None, payable, known)
    alert = Alert(
        topic=topic,
        outcome=outcome,
        lines=lines,
        recovered=told.incomplete and coverage.complete,
        debts=tuple(sorted(payable, key=lambda debt: debt is not newest)),
        reported=_reported(coverage, newest),
        not_scanned=_not_scanned(coverage, newest),
        last_alert_at=told.last_alert_at,
    )
    if topic is Topic.NEW:
        return Decision(alert, payable, replace(known, last_alert_at=now))
    answered = {**known.answered, **{debt.association_id: now for debt in ask}}
    return Decision(alert, payable, replace(known, answered=answered))


def _answerable(debts: Sequence[Debt], coverage: Coverage, now: datetime) -> tuple[Debt, ...]:
    """The executions that can be answered, newest first.

    While something may still settle, an answer waits for it, but not for ever.
    """
    reports = coverage.reports.values()
    settling = bool(coverage.left or coverage.settling)
    can = [
        debt
        for debt in debts
        if debt.answerable(reports, now) and (not settling or now - debt.owed_at >= SETTLE)
    ]
    return tuple(sorted(can, key=lambda debt: (debt.since, debt.key), reverse=True))


def _wants_answer(debt: Debt, coverage: Coverage, told: Told, now: datetime) -> bool:
    """Not for a few nodes of many, not too often, and not where an alert has answered already.

    SSM keeps whole seconds, so an alert of the same second answers for nothing.
    """
    last = told.answered.get(debt.association_id)
    alerted = told.last_alert_at
    return (
        debt.covers_half(coverage.known)
        and (last is None or now - last >= QUIET_EVERY)
        and (alerted is None or alerted.replace(microsecond=0) <= debt.since)
    )


def _spoken_for(ask: Sequence[Debt], coverage: Coverage) -> Debt | None:
    """The execution that an answer is about: the newest that a node has reported for."""
    reported = (debt for debt in ask if _reported(coverage, debt))
    return next(reported, next(iter(ask), None))


def _topic(
    coverage: Coverage, told: Told, asked: Debt | None, now: datetime, *, lines: bool
) -> Topic | None:
    if lines:
        return Topic.NEW
    if _begun(coverage, told, now) or (asked and not coverage.complete):
        return Topic.INCOMPLETE
    if asked:
        return Topic.NOTHING_NEW if _reported(coverage, asked) else Topic.NO_REPORT
    if told.incomplete and coverage.complete:
        return Topic.COMPLETE_AGAIN
    return None


def _begun(coverage: Coverage, told: Told, now: datetime) -> bool:
    """Whether something is to be told that lasts, and that people do not know yet."""
    settled = coverage.unproven.keys() - coverage.settling
    doubtful = told.unproven != MANY and not told.unproven.issuperset(settled)
    since = told.left_since
    lasting = coverage.left > 0 and since is not None and now - since >= SETTLE
    return doubtful or (lasting and not told.left) or (coverage.braked and not told.braked)


def _known(coverage: Coverage, told: Told, topic: Topic | None, now: datetime) -> Told:
    """What people know after this pass; answers older than their hour are forgotten."""
    # a node that the time did not suffice for is as doubtful as it was
    settled = coverage.unproven.keys() - coverage.settling
    doubtful = told.unproven.union(settled) if coverage.left else settled
    many = len(doubtful) > MAX_REMEMBERED or (coverage.left and told.unproven == MANY)
    left = coverage.left > 0
    return Told(
        unproven=MANY if many else frozenset(doubtful),
        left=left and (told.left or topic is Topic.INCOMPLETE),
        left_since=(told.left_since or now) if left else None,
        braked=coverage.braked,
        last_alert_at=told.last_alert_at,
        answered={key: at for key, at in told.answered.items() if now - at < QUIET_EVERY},
    )


def _reported(coverage: Coverage, debt: Debt | None) -> int:
    if debt is None:
        return coverage.read
    return sum(at >= debt.since for at in coverage.reports.values())


def _not_scanned(coverage: Coverage, debt: Debt | None) -> tuple[str, ...]:
    if debt is None or not debt.covers_half(coverage.known):
        return ()
    return tuple(sorted(node for node, at in coverage.reports.items() if at < debt.since))
