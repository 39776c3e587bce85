"""Decides what a scan announces. This is the only place where that is decided."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.announcement import (
    MAX_REMEMBERED_ASSOCIATIONS,
    MAX_REMEMBERED_NODES,
    NEVER_ANSWERED,
    TOO_MANY,
    Alert,
    AssociationState,
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
from chalicelib.domain.scan import (
    SETTLING_TIME,
    Coverage,
    Job,
    Outcome,
    TargetResults,
    by_age,
    combine_targets,
    judge_targets,
)
from chalicelib.domain.snooze import Muting, Snooze

# An association gets at most one quiet answer in this time if nothing was fixed.
QUIET_ANSWER_INTERVAL = timedelta(hours=1)
# It is said once in this time that two executions overwrite each other.
ALTERNATION_INTERVAL = timedelta(days=30)
# Nodes that fall silent or leave get at most one message of their own in this time.
SILENCE_INTERVAL = timedelta(days=1)
# An execution is answered this long after its event, whatever its targets do.
NO_REPORT_AFTER = timedelta(minutes=30)
# The largest execution of this time tells which executions of an association are small.
SIZE_MEMORY = timedelta(days=7)
# A small execution is answered if its association was not answered for this time.
LONGEST_SILENCE = timedelta(hours=24)
# Fixes are announced on their own if no other message told them for this time.
FIXES_WAIT = timedelta(hours=1)


class News(Struct, frozen=True):
    """Findings to announce unless a snooze mutes them.

    ended: those that still fail, with their snooze that ended, sorted by the ends ·
    returned: those that fail again, with a snooze that ended while they were not checked ·
    waiting: snoozes that have ended too, and mute until a later decision.
    """

    new: tuple[Finding, ...] = ()
    worse: tuple[Finding, ...] = ()
    ended: Sequence[tuple[Snooze, Sequence[Finding]]] = ()
    returned: tuple[tuple[Finding, Snooze], ...] = ()
    waiting: tuple[Snooze, ...] = ()


def collect_lines(news: News, snoozes: Sequence[Snooze], now: datetime) -> Lines:
    """Collects what is new, then what is worse, then what a snooze mutes no more: each once.

    A finding is named with the last of its snoozes that ended.
    """
    muting = Muting(snoozes, now, news.waiting)
    lines = {finding.key: Line(finding, LineReason.NEW) for finding in news.new}
    for finding in news.worse:
        lines.setdefault(finding.key, Line(finding, LineReason.WORSE))
    for finding, snooze in news.returned:
        lines.setdefault(finding.key, Line(finding, LineReason.SNOOZE_ENDED, snooze))
    for snooze, findings in reversed(news.ended):
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
    counts: Counter[EventKind] = Counter()
    for named in (state.changes, outcome.changes, *(row.counts for row in earlier)):
        counts.update({kind: named[kind] for kind in NAMED if kind in named})
    return replace(
        state,
        facts=outcome.last,
        changes=dict(counts),
        unannounced_after=(state.unannounced_after or state.facts) if counts else None,
        fixed_since=(state.fixed_since or outcome.at) if counts[EventKind.FIXED] else None,
    )


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
    announced, then snoozes that were made, then fixes that no message has told.
    """
    coverage = outcome.coverage
    results = {job.key: judge_targets(job, coverage) for job in jobs}
    state = replace(state, associations=_remember_sizes(state, jobs, results, now))
    completed = _select_answerable(jobs, results, coverage, now)
    withheld = {
        job.key: _withhold_quiet_answer(
            job, results[job.key], state, now, quiet_answers=quiet_answers
        )
        for job in completed
    }
    alerted = [job for job in completed if withheld[job.key] is DecisionReason.ALERTED_SINCE]
    state = replace(state, associations=_remember_answers(state, alerted, Topic.NEW, now))
    asked = tuple(job for job in completed if withheld[job.key] is None)
    combined = combine_targets(asked, coverage) if asked else None
    topic, reason = _choose_topic(coverage, lines, state, combined, now)
    if topic is None and lines.notes.made:
        topic, reason = Topic.SNOOZED, DecisionReason.SNOOZES
    if topic is None and quiet_answers and _are_fixes_due(state, now):
        topic, reason = Topic.FIXED, DecisionReason.FIXES
    if reason is DecisionReason.NO_EXECUTION and completed:
        reason = withheld[completed[0].key] or reason
    next_state = _update_channel_state(coverage, state, topic, now)
    if topic is None:
        return Decision(None, reason, completed, next_state)
    answered = completed if topic is Topic.NEW else asked
    told = combine_targets(answered, coverage) if answered else None
    newest = next((job for job in answered if results[job.key].reported), None)
    alert = Alert(
        topic=topic,
        outcome=outcome,
        lines=lines,
        changes=state.changes,
        alternating=outcome.alternating if _is_alternation_due(state, now) else (),
        recovered=_has_open_notice(state) and coverage.complete,
        jobs=tuple(sorted(answered, key=lambda job: job is not newest)),
        targets=told.targets if told else 0,
        reported=told.reported if told else coverage.read,
        without_result=told.without_result if told else (),
        last_alert_at=state.last_alert_at,
        silent=_find_newly_silent(coverage, state),
        gone_nodes=coverage.silence.gone,
        returned=_find_returned(coverage, state),
    )
    next_state = replace(
        next_state,
        changes={},
        unannounced_after=None,
        fixed_since=None,
        alternation_at=now if alert.alternating else state.alternation_at,
        last_alert_at=now if topic is Topic.NEW else state.last_alert_at,
        associations=_remember_answers(next_state, answered, topic, now),
    )
    return Decision(alert, reason, completed, next_state)


def _select_answerable(
    jobs: Sequence[Job], results: Mapping[str, TargetResults], coverage: Coverage, now: datetime
) -> tuple[Job, ...]:
    """Selects the executions that can be answered, newest first.

    An answer waits until every target is accounted for, for `NO_REPORT_AFTER` at
    most, and while readings may still settle, for `SETTLING_TIME` at most.
    """
    settling = bool(coverage.deferred or coverage.settling)
    answerable = [
        job
        for job in jobs
        if (not results[job.key].pending or now - job.enqueued_at >= NO_REPORT_AFTER)
        and (not settling or now - job.enqueued_at >= SETTLING_TIME)
    ]
    return tuple(sorted(answerable, key=by_age, reverse=True))


def is_small(targets: int, association: AssociationState) -> bool:
    """Whether an execution has fewer than half of the targets of the largest one lately.

    It is not if a number is unknown, which is 0.
    """
    return bool(targets and association.sizes) and 2 * targets < association.sizes[0][1]


def _withhold_quiet_answer(  # noqa: PLR0911 - a flat list: one return for each reason
    job: Job, results: TargetResults, state: ChannelState, now: datetime, *, quiet_answers: bool
) -> DecisionReason | None:
    """Returns why this execution gets no quiet answer; None if it gets one."""
    if not quiet_answers:
        return DecisionReason.QUIET_ANSWERS_OFF
    association = state.associations.get(job.association_id, NEVER_ANSWERED)
    # a later event takes the all-clear of its own execution back
    if association.cleared == job.since and not results.complete:
        return None
    # An execution of a few nodes, such as one that came online, says little about the others.
    answered = association.answered_at
    is_recent = answered is not None and now - answered < LONGEST_SILENCE
    if is_recent and is_small(results.targets, association):
        return DecisionReason.FEW_TARGETS
    if association.cleared is not None and not results.complete:
        # people believe the last all-clear, which does not hold any more
        return None
    # people know an answer that is wrong by now, or wait for the word that their fix has worked
    if job.answered or state.changes.get(EventKind.FIXED):
        return None
    last = association.quiet_at
    if last is not None and now - last < QUIET_ANSWER_INTERVAL:
        return DecisionReason.ANSWERED_RECENTLY
    # SSM keeps whole seconds, so an alert of the same second answers nothing.
    alerted = state.last_alert_at
    if alerted is not None and alerted.replace(microsecond=0) > job.since:
        return DecisionReason.ALERTED_SINCE
    return None


def _choose_topic(  # noqa: PLR0911 - a flat list: one return for each reason
    coverage: Coverage,
    lines: Lines,
    state: ChannelState,
    asked: TargetResults | None,
    now: datetime,
) -> tuple[Topic | None, DecisionReason]:
    """Chooses what to announce, and names the reason.

    `asked` are the targets of the executions that get a quiet answer; None without any.
    """
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
    if asked:
        return _choose_answer(asked, coverage), DecisionReason.EXECUTION
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


def _choose_answer(asked: TargetResults, coverage: Coverage) -> Topic:
    """Chooses what to say to executions with these targets. Only the last is an all-clear."""
    if not coverage.complete:
        return Topic.INCOMPLETE
    if not asked.reported:
        return Topic.NO_REPORT
    if not asked.complete or _is_remembered(asked, coverage):
        return Topic.PARTLY_CHECKED
    return Topic.NOTHING_NEW


def _is_remembered(asked: TargetResults, coverage: Coverage) -> bool:
    """Whether findings of the targets are not checked any more; of any node without names."""
    nodes = asked.by_node or coverage.unchecked
    return any(node in nodes for node in coverage.unchecked)


def _are_fixes_due(state: ChannelState, now: datetime) -> bool:
    """Whether fixes wait for a message of their own, because no other one came."""
    since = state.fixed_since
    return since is not None and now - since >= FIXES_WAIT


def _remember_sizes(
    state: ChannelState,
    jobs: Iterable[Job],
    results: Mapping[str, TargetResults],
    now: datetime,
) -> dict[str, AssociationState]:
    """Adds the sizes of these executions, and forgets what is older than `SIZE_MEMORY`."""
    associations = {
        key: replace(each, sizes=tuple(size for size in each.sizes if now - size[0] < SIZE_MEMORY))
        for key, each in state.associations.items()
        if each.sizes or (each.answered_at and now - each.answered_at < SIZE_MEMORY)
    }
    for job in jobs:
        if targets := results[job.key].targets:
            known = associations.get(job.association_id, NEVER_ANSWERED)
            larger = tuple(size for size in known.sizes if size[1] > targets)
            # one a day is enough, so the list stays short
            is_same_day = bool(larger) and larger[-1][0].date() == now.date()
            sizes = larger if is_same_day else (*larger, (now, targets))
            associations[job.association_id] = replace(known, sizes=sizes)
    return associations


def _remember_answers(
    state: ChannelState, answered: Iterable[Job], topic: Topic, now: datetime
) -> dict[str, AssociationState]:
    """Notes that these executions, newest first, were answered by a message of this topic."""
    associations = dict(state.associations)
    for job in reversed(tuple(answered)):
        known = associations.pop(job.association_id, NEVER_ANSWERED)
        associations[job.association_id] = replace(
            known,
            answered_at=now,
            quiet_at=known.quiet_at if topic is Topic.NEW else now,
            cleared=job.since if topic is Topic.NOTHING_NEW else None,
        )
    newest = list(associations.items())[-MAX_REMEMBERED_ASSOCIATIONS:]
    return dict(newest)


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
    """Returns what the channel knows after this scan."""
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
