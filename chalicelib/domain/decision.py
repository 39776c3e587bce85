"""Decides what a scan announces. This is the only place where that is decided."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.announcement import (
    MAX_REMEMBERED_NODES,
    TOO_MANY,
    Alert,
    ChannelState,
    Decision,
    DecisionReason,
    Line,
    LineReason,
    Lines,
    Topic,
)
from chalicelib.domain.finding import Finding
from chalicelib.domain.history import NAMED, VANISHED, EventKind, FactRow
from chalicelib.domain.scan import SETTLING_TIME, Coverage, Job, Outcome
from chalicelib.domain.snooze import Muting, Snooze

# An association gets at most one quiet answer in this time.
QUIET_ANSWER_INTERVAL = timedelta(hours=1)
# It is said once in this time that two executions overwrite each other.
ALTERNATION_INTERVAL = timedelta(days=30)
# Nodes that fall silent or leave get at most one message of their own in this time.
SILENCE_INTERVAL = timedelta(days=1)


class News(Struct, frozen=True):
    """Findings to announce unless a snooze mutes them.

    ended: those that still fail, with their snooze that ended · returned: those that fail
    again, with a snooze that ended while they were not checked.
    """

    new: tuple[Finding, ...] = ()
    worse: tuple[Finding, ...] = ()
    ended: Sequence[tuple[Snooze, Sequence[Finding]]] = ()
    returned: tuple[tuple[Finding, Snooze], ...] = ()


def collect_lines(news: News, snoozes: Sequence[Snooze], now: datetime) -> Lines:
    """Collects what is new, then what is worse, then what a snooze mutes no more: each once."""
    muting = Muting(snoozes, now)
    lines = {finding.key: Line(finding, LineReason.NEW) for finding in news.new}
    for finding in news.worse:
        lines.setdefault(finding.key, Line(finding, LineReason.WORSE))
    for finding, snooze in news.returned:
        lines.setdefault(finding.key, Line(finding, LineReason.SNOOZE_ENDED, snooze))
    for snooze, findings in news.ended:
        for finding in findings:
            lines.setdefault(finding.key, Line(finding, LineReason.SNOOZE_ENDED, snooze))
    audible = tuple(line for line in lines.values() if not _is_muted(line, muting))
    return Lines(audible, muted=_count_news(lines.values()) - _count_news(audible))


def _is_muted(line: Line, muting: Muting) -> bool:
    """Whether a snooze mutes it. One of a pair was made for the severity before."""
    if line.reason is LineReason.WORSE:
        return muting.of_worse(line.finding) is not None
    return muting.of(line.finding) is not None


def consider_facts(
    state: ChannelState, outcome: Outcome, earlier: Iterable[FactRow] = ()
) -> ChannelState:
    """Adds to the state what happened in this scan, and `earlier` facts nobody considered."""
    counts = Counter(key.kind for row in earlier for key in row.list_keys(*NAMED))
    for named in (state.changes, outcome.changes):
        counts.update({kind: named[kind] for kind in NAMED if kind in named})
    after = (state.unannounced_after or state.facts) if counts else None
    return replace(state, facts=outcome.last, changes=dict(counts), unannounced_after=after)


def _count_news(lines: Iterable[Line]) -> int:
    return sum(line.reason is not LineReason.SNOOZE_ENDED for line in lines)


def decide_announcement(
    outcome: Outcome,
    lines: Lines,
    jobs: Sequence[Job],
    state: ChannelState,
    now: datetime,
    *,
    quiet_answers: bool,
) -> Decision:
    """Chooses the one message of a scan.

    `state` has considered the facts of the scan. Findings come first, and they
    answer every execution that can be answered. Otherwise a notice that begins is
    announced, then an execution is answered, then a notice that is over is
    announced.
    """
    coverage = outcome.coverage
    completed = _select_answerable(jobs, coverage, now)
    withheld = {
        job.key: _withhold_quiet_answer(job, coverage, state, now, quiet_answers=quiet_answers)
        for job in completed
    }
    asked = [job for job in completed if withheld[job.key] is None]
    answered = _choose_execution(asked, coverage)
    topic, reason = _choose_topic(coverage, lines, state, answered, now)
    if reason is DecisionReason.NO_EXECUTION and completed:
        reason = withheld[completed[0].key] or reason
    next_state = _update_channel_state(coverage, state, topic, now)
    if topic is None:
        return Decision(None, reason, completed, next_state)
    newest = answered or next(iter(completed), None)
    alert = Alert(
        topic=topic,
        outcome=outcome,
        lines=lines,
        changes=state.changes,
        alternating=outcome.alternating if _is_alternation_due(state, now) else (),
        recovered=_has_open_notice(state) and coverage.complete,
        jobs=tuple(sorted(completed, key=lambda job: job is not newest)),
        reported=_count_reported(coverage, newest),
        not_scanned=_list_not_scanned(coverage, newest),
        last_alert_at=state.last_alert_at,
        silent=_find_newly_silent(coverage, state),
        gone_nodes=coverage.silence.gone,
        returned=_find_returned(coverage, state),
    )
    next_state = replace(next_state, changes={}, unannounced_after=None)
    if alert.alternating:
        next_state = replace(next_state, alternation_at=now)
    if topic is Topic.NEW:
        return Decision(alert, reason, completed, replace(next_state, last_alert_at=now))
    answers = {**next_state.answered, **{job.association_id: now for job in asked}}
    return Decision(alert, reason, completed, replace(next_state, answered=answers))


def _select_answerable(jobs: Sequence[Job], coverage: Coverage, now: datetime) -> tuple[Job, ...]:
    """Selects the executions that can be answered, newest first.

    While readings may still settle an answer waits for them, for `SETTLING_TIME`
    at most.
    """
    reports = coverage.reports.values()
    settling = bool(coverage.deferred or coverage.settling)
    answerable = [
        job
        for job in jobs
        if job.is_answerable(reports, now)
        and (not settling or now - job.enqueued_at >= SETTLING_TIME)
    ]
    return tuple(sorted(answerable, key=lambda job: (job.since, job.key), reverse=True))


def _withhold_quiet_answer(
    job: Job, coverage: Coverage, state: ChannelState, now: datetime, *, quiet_answers: bool
) -> DecisionReason | None:
    """Returns why this execution gets no quiet answer; None if it gets one."""
    if not quiet_answers:
        return DecisionReason.QUIET_ANSWERS_OFF
    # An execution of a few nodes, such as one that came online, says little about the fleet.
    if not job.covers_half(coverage.known):
        return DecisionReason.FEW_TARGETS
    if state.changes.get(EventKind.FIXED):
        # people wait for the word that their fix has worked
        return None
    last = state.answered.get(job.association_id)
    if last is not None and now - last < QUIET_ANSWER_INTERVAL:
        return DecisionReason.ANSWERED_RECENTLY
    # SSM keeps whole seconds, so an alert of the same second answers nothing.
    alerted = state.last_alert_at
    if alerted is not None and alerted.replace(microsecond=0) > job.since:
        return DecisionReason.ALERTED_SINCE
    return None


def _choose_execution(asked: Sequence[Job], coverage: Coverage) -> Job | None:
    """Chooses the execution to answer: the newest that a node has reported for."""
    reported = (job for job in asked if _count_reported(coverage, job))
    return next(reported, next(iter(asked), None))


def _choose_topic(  # noqa: C901, PLR0911 - a flat list: one return for each reason
    coverage: Coverage, lines: Lines, state: ChannelState, answered: Job | None, now: datetime
) -> tuple[Topic | None, DecisionReason]:
    """Chooses what to announce, and names the reason."""
    if lines.announced:
        return Topic.NEW, DecisionReason.NEW_FINDINGS
    if any(state.changes.get(kind) for kind in VANISHED):
        return Topic.UNCHECKED, DecisionReason.UNCHECKED
    # Beyond TOO_MANY it is unknown which nodes were announced, so more are no news.
    settled = coverage.unverified.keys() - coverage.settling
    if state.unverified != TOO_MANY and not state.unverified.issuperset(settled):
        return Topic.INCOMPLETE, DecisionReason.UNVERIFIED_NODES
    since = state.deferred_since
    lasting = coverage.deferred > 0 and since is not None and now - since >= SETTLING_TIME
    if lasting and not state.deferred:
        return Topic.INCOMPLETE, DecisionReason.DEFERRED_NODES
    if coverage.braked and not state.braked:
        return Topic.INCOMPLETE, DecisionReason.BRAKE
    if answered and not coverage.complete:
        return Topic.INCOMPLETE, DecisionReason.EXECUTION
    if answered and _count_reported(coverage, answered):
        return Topic.NOTHING_NEW, DecisionReason.EXECUTION
    if answered:
        return Topic.NO_REPORT, DecisionReason.EXECUTION
    if _has_open_notice(state) and coverage.complete:
        return Topic.COMPLETE_AGAIN, DecisionReason.COMPLETE_AGAIN
    if _is_silence_due(coverage, state, now):
        return Topic.SILENT, DecisionReason.SILENT_NODES
    return None, DecisionReason.NO_EXECUTION


def _is_alternation_due(state: ChannelState, now: datetime) -> bool:
    """Whether it is time to say that two executions overwrite each other's results."""
    last = state.alternation_at
    return last is None or now - last >= ALTERNATION_INTERVAL


def _is_silence_due(coverage: Coverage, state: ChannelState, now: datetime) -> bool:
    """Whether nodes that fell silent or left get a message, if there is no other one."""
    silence = coverage.silence
    if len(silence.gone) > MAX_REMEMBERED_NODES:
        # they could not be remembered until a later message
        return True
    if state.silent_at is not None and now - state.silent_at < SILENCE_INTERVAL:
        return False
    news = _find_newly_silent(coverage, state) or silence.gone or state.changes.get(EventKind.GONE)
    return bool(news) and not silence.growing


def _find_newly_silent(coverage: Coverage, state: ChannelState) -> dict[str, datetime]:
    """Maps silent nodes that the channel does not know of to when they were last seen."""
    # Beyond TOO_MANY it is unknown which nodes were announced, so more are no news.
    if state.silent == TOO_MANY:
        return {}
    since = coverage.silence.since
    return {node: since[node] for node in sorted(since.keys() - state.silent)}


def _has_open_notice(state: ChannelState) -> bool:
    """Whether the channel knows of a notice that was not announced to be over."""
    return bool(state.unverified or state.deferred or state.braked)


def _find_returned(coverage: Coverage, state: ChannelState) -> tuple[str, ...]:
    """Finds the announced silent nodes that report again, those of earlier scans included."""
    silence = coverage.silence
    returned = state.returned.union(silence.returned).difference(silence.since, silence.gone)
    return tuple(sorted(returned))


def _update_channel_state(
    coverage: Coverage, state: ChannelState, topic: Topic | None, now: datetime
) -> ChannelState:
    """Returns what the channel knows after this scan. Old quiet answers are forgotten."""
    settled = coverage.unverified.keys() - coverage.settling
    # a deferred node was not read, so it is as unverified as it was
    unverified = state.unverified.union(settled) if coverage.deferred else settled
    too_many = len(unverified) > MAX_REMEMBERED_NODES or (
        coverage.deferred and state.unverified == TOO_MANY
    )
    deferred = coverage.deferred > 0
    return replace(
        _update_silence(coverage, state, topic, now),
        unverified=TOO_MANY if too_many else frozenset(unverified),
        deferred=deferred and (state.deferred or topic is Topic.INCOMPLETE),
        deferred_since=(state.deferred_since or now) if deferred else None,
        braked=coverage.braked,
        answered={
            key: at for key, at in state.answered.items() if now - at < QUIET_ANSWER_INTERVAL
        },
    )


def _update_silence(
    coverage: Coverage, state: ChannelState, topic: Topic | None, now: datetime
) -> ChannelState:
    """Returns what the channel knows of silent nodes after this scan. A message says all of it."""
    silence = coverage.silence
    silent, leaving = frozenset(silence.since), sorted(silence.missing)
    returned: tuple[str, ...] = ()
    if topic is None:
        if state.silent != TOO_MANY:
            silent = state.silent & silent
        leaving = [*silence.gone, *leaving]
        returned = _find_returned(coverage, state)
    return replace(
        state,
        silent=TOO_MANY if len(silent) > MAX_REMEMBERED_NODES else silent,
        silent_at=now if topic is Topic.SILENT else state.silent_at,
        returned=frozenset(returned[:MAX_REMEMBERED_NODES]),
        leaving=frozenset(leaving[:MAX_REMEMBERED_NODES]),
    )


def _count_reported(coverage: Coverage, job: Job | None) -> int:
    if job is None:
        return coverage.read
    return sum(at >= job.since for at in coverage.reports.values())


def _list_not_scanned(coverage: Coverage, job: Job | None) -> tuple[str, ...]:
    if job is None or not job.covers_half(coverage.known):
        return ()
    return tuple(sorted(node for node, at in coverage.reports.items() if at < job.since))
