"""Stages what to say: decided here and only here, at one instant, written in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.alert import Alert, collect_lines, decide_announcement
from chalicelib.domain.errors import Conflict, DeliveryError, ServiceError
from chalicelib.domain.finding import Finding, finding_id, worst_first
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.message import CsvFile, Message, Source, Step
from chalicelib.domain.monthly import (
    MESSAGE_PREFIX,
    ListedFinding,
    count_nodes,
    list_with_snoozes,
    monthly_csv_key,
    summarize,
)
from chalicelib.domain.outcome import Outcome
from chalicelib.domain.snooze import Muting, Snooze, candidate_scopes, list_unsettled
from chalicelib.usecases.context import Announcement, Context, CsvContent
from chalicelib.usecases.ports import MAX_SETTLED_SNOOZES, OpenWork, Staged

# A snooze changed between reading and writing: decide again this often.
ATTEMPTS = 3


def read_snoozes(context: Context) -> tuple[Snooze, ...] | None:
    """All snoozes that a pass has to do with; None where they cannot be read."""
    try:
        return tuple(context.snoozes.unsettled())
    except ServiceError:
        return None


def read_snoozes_or_empty(context: Context) -> tuple[Snooze, ...]:
    """All snoozes; as if there were none where they cannot be read, so that all is alerted."""
    return read_snoozes(context) or ()


def stage_scan(context: Context, outcome: Outcome, work: OpenWork) -> Announcement:
    """Decide what this pass says and write it down, with everything that it settles."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _stage_scan(context, outcome, work)
        except Conflict:
            continue
    return _stage_scan(context, outcome, work)


def _stage_scan(context: Context, outcome: Outcome, work: OpenWork) -> Announcement:
    now = context.clock()
    snoozes = read_snoozes_or_empty(context)
    marks = sorted({*work.unannounced_scans, *({outcome.scan_id} if outcome.new else ())})
    ended = list_unsettled(snoozes, now)[:MAX_SETTLED_SNOOZES]
    new = (*outcome.new, *_left_over(context, set(marks) - {outcome.scan_id}))
    lines = collect_lines(new, find_failing(context, ended), snoozes, now)
    decision = decide_announcement(
        outcome,
        lines,
        [job for job in work.jobs if job.kind is JobKind.EXECUTION],
        work.channel_state,
        now,
        quiet_answers=context.quiet_answers,
    )
    draft = _draft(context, decision.alert, marks, ended, now) if decision.alert else Draft()
    staged = Staged(
        message=draft.message,
        unannounced_scans=tuple(marks),
        completed=decision.completed,
        settled_snoozes=tuple(
            replace(each, settled_at=now, version=each.version + 1) for each in ended
        ),
        channel_state=decision.channel_state
        if decision.channel_state != work.channel_state
        else None,
    )
    context.work.stage(staged, now)
    return Announcement(
        message=draft.message,
        topic=decision.alert.topic if decision.alert else None,
        announced=len(lines.announced),
        muted=lines.muted,
        content=draft.content,
    )


def stage_monthly(context: Context, jobs: Sequence[Job]) -> Announcement:
    """Write down the monthly report for the newest of the owed months, settling all of them."""
    now = context.clock()
    # counted first and let go of, so that a large fleet is not in memory beside its findings
    nodes = count_nodes(context.nodes.all())
    newest = max(jobs, key=lambda job: job.event_at)
    stored = context.sorter.worst_first(context.findings.all())
    muting = Muting(read_snoozes_or_empty(context), now)
    file = CsvFile(
        monthly_csv_key(newest.event_at), "All stored non-compliant findings", Source.EVERYTHING
    )
    report = summarize(list_with_snoozes(stored, muting), nodes, now, file.key)
    message = Message(
        id=f"{MESSAGE_PREFIX}{newest.event_at:%Y-%m-%d}",
        created_at=now,
        rendered=context.renderer.monthly(report),
        csv=file,
    )
    # stored by its delivery step: a month that was reported already must not be overwritten
    try:
        context.work.stage(Staged(message=message, completed=tuple(jobs)), now)
    except Conflict:
        context.work.stage(Staged(completed=tuple(jobs)), now)
        return Announcement()
    return Announcement(
        message=message,
        announced=report.total,
        content=lambda: context.renderer.csv(list_with_snoozes(stored, muting)),
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it is written down, and its CSV."""

    message: Message | None = None
    content: CsvContent | None = None


def _draft(
    context: Context,
    alert: Alert,
    marks: Sequence[str],
    ended: Iterable[Snooze],
    now: datetime,
) -> Draft:
    scan_id = alert.outcome.scan_id
    key = f"alerts/{now:%Y/%m/%d}/{scan_id}.csv"
    findings = sorted((line.finding for line in alert.lines.announced), key=worst_first)
    message = Message(
        id=scan_id,
        created_at=now,
        rendered=context.renderer.alert(replace(alert, csv_key=key)),
        csv=CsvFile(key, "Non-compliant findings", Source.SCANS) if findings else None,
        scan_ids=tuple(marks),
        snooze_ids=tuple(each.id for each in ended),
    )
    if not findings:
        return Draft(message)

    def content() -> Iterator[bytes]:
        # what a snooze mutes now is not among them
        return context.renderer.csv(ListedFinding(finding, None) for finding in findings)

    return Draft(_stored(context, message, key, content()), content)


def _stored(context: Context, message: Message, key: str, content: Iterable[bytes]) -> Message:
    """Put the CSV away before the message is written down; a refusal delays only the file."""
    try:
        context.files.put(key, content)
    except DeliveryError:
        return message
    return message.after(Step.STORE, key)


def find_failing(context: Context, snoozes: Sequence[Snooze]) -> list[tuple[Snooze, list[Finding]]]:
    """The stored findings that each snooze is about, read consistently.

    An index may lag, and what it does not show yet would never be told: for a
    snooze of a whole node or title the table is read, once for all of them.
    """
    wide = [each for each in snoozes if each.instance_id is None or each.title is None]
    ids = {
        finding_id(each.instance_id, each.title)
        for each in snoozes
        if each.instance_id is not None and each.title is not None
    }
    stored = _about(context, snoozes) if wide else tuple(context.findings.get(ids).values())
    return [
        (each, [row for row in stored if each.covers(row.instance_id, row.title)])
        for each in snoozes
    ]


def _about(context: Context, snoozes: Iterable[Snooze]) -> tuple[Finding, ...]:
    wanted = {each.scope for each in snoozes}
    return tuple(
        each for each in context.findings.all() if not wanted.isdisjoint(candidate_scopes(each))
    )


def _left_over(context: Context, scan_ids: set[str]) -> tuple[Finding, ...]:
    """Findings that a pass which never came to telling has opened."""
    if not scan_ids:
        return ()
    return tuple(each for each in context.findings.all() if each.scan_id in scan_ids)
