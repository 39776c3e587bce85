"""Stages an announcement: decided at one instant, written in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from chalicelib.domain.announcement import Alert, Topic
from chalicelib.domain.decision import collect_lines, decide_announcement
from chalicelib.domain.errors import Conflict, DeliveryError
from chalicelib.domain.finding import Finding, worst_first
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.message import CsvFile, Message, Source
from chalicelib.domain.monthly import MESSAGE_PREFIX, count_nodes, monthly_csv_key, summarize_month
from chalicelib.domain.scan import Outcome
from chalicelib.domain.snooze import (
    ListedFinding,
    Muting,
    Snooze,
    list_unsettled,
    list_with_snoozes,
)
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import MAX_SETTLED_SNOOZES, OpenWork, Staged
from chalicelib.usecases.snooze_access import (
    find_failing,
    read_snoozes_or_empty,
    retry_on_conflict,
)

# The CSV of a message, built anew for each call: it may be larger than memory.
CsvContent: TypeAlias = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What was staged: the message, None if the scan is silent, and why.

    `contents` maps the keys of its files to what they hold. `announced` and `muted`
    count findings.
    """

    message: Message | None = None
    contents: Mapping[str, CsvContent] = field(default_factory=dict)
    topic: Topic | None = None
    reason: str = ""
    announced: int = 0
    muted: int = 0


NO_ANNOUNCEMENT = Announcement()


def stage_scan(context: Context, outcome: Outcome, work: OpenWork) -> Announcement:
    """Decides what this scan announces, and writes that with everything it settles."""
    return retry_on_conflict(lambda: _stage_scan(context, outcome, work))


def _stage_scan(context: Context, outcome: Outcome, work: OpenWork) -> Announcement:
    now = context.clock()
    snoozes = read_snoozes_or_empty(context)
    scan_ids = sorted({*work.unannounced_scans, *({outcome.scan_id} if outcome.new else ())})
    ended = list_unsettled(snoozes, now)[:MAX_SETTLED_SNOOZES]
    new = (*outcome.new, *_read_unannounced(context, set(scan_ids) - {outcome.scan_id}))

    lines = collect_lines(new, find_failing(context, ended), snoozes, now)
    decision = decide_announcement(
        outcome,
        lines,
        [job for job in work.jobs if job.kind is JobKind.EXECUTION],
        work.channel_state,
        now,
        quiet_answers=context.quiet_answers,
    )

    message: Message | None = None
    contents: Mapping[str, CsvContent] = {}
    if decision.alert:
        message, contents = _build_message(context, decision.alert, scan_ids, ended, now)
    changed = decision.channel_state != work.channel_state
    context.work.stage(
        Staged(
            message=message,
            unannounced_scans=tuple(scan_ids),
            completed=decision.completed,
            settled_snoozes=tuple(
                replace(each, settled_at=now, version=each.version + 1) for each in ended
            ),
            channel_state=decision.channel_state if changed else None,
        ),
        now,
    )
    return Announcement(
        message=message,
        contents=contents,
        topic=decision.alert.topic if decision.alert else None,
        reason=decision.reason,
        announced=len(lines.announced),
        muted=lines.muted,
    )


def stage_monthly(context: Context, jobs: Sequence[Job]) -> Announcement:
    """Stages the monthly report of the newest waiting month, and completes all of `jobs`."""
    now = context.clock()
    # counted first and released, so that a large fleet is not in memory beside its findings
    nodes = count_nodes(context.nodes.all())
    newest = max(jobs, key=lambda job: job.event_at)
    stored = context.sorter.worst_first(context.findings.all())
    muting = Muting(read_snoozes_or_empty(context), now)
    key = monthly_csv_key(newest.event_at)
    report = summarize_month(list_with_snoozes(stored, muting), nodes, now, key)
    message = Message(
        id=f"{MESSAGE_PREFIX}{newest.event_at:%Y-%m-%d}",
        created_at=now,
        month=report,
        files=(CsvFile(key, "All stored non-compliant findings", Source.EVERYTHING),),
    )
    message = _plan_steps(context, message)
    # The CSV is stored by its delivery step: a month that was reported must not be overwritten.
    try:
        context.work.stage(Staged(message=message, completed=tuple(jobs)), now)
    except Conflict:
        context.work.stage(Staged(completed=tuple(jobs)), now)
        return NO_ANNOUNCEMENT
    return Announcement(
        message=message,
        contents={key: lambda: context.render_csv(list_with_snoozes(stored, muting))},
        announced=report.total,
    )


def _build_message(
    context: Context,
    alert: Alert,
    scan_ids: Sequence[str],
    ended: Iterable[Snooze],
    now: datetime,
) -> tuple[Message, dict[str, CsvContent]]:
    """Freezes the message and puts its CSV into the bucket. A refusal delays only the file."""
    scan_id = alert.outcome.scan_id
    key = f"alerts/{now:%Y/%m/%d}/{scan_id}.csv"
    message = Message(
        id=scan_id,
        created_at=now,
        alert=context.summarize(replace(alert, csv_key=key)),
        scan_ids=tuple(scan_ids),
        snooze_ids=tuple(each.id for each in ended),
    )
    findings = sorted((line.finding for line in alert.lines.announced), key=worst_first)
    if not findings:
        return _plan_steps(context, message), {}

    def content() -> Iterator[bytes]:
        # no snooze mutes any of them now
        return context.render_csv(ListedFinding(finding, None) for finding in findings)

    file = CsvFile(key, "Non-compliant findings", Source.SCANS)
    try:
        context.files.put(key, content())
    except DeliveryError:
        pass
    else:
        file = replace(file, stored=True)
    return _plan_steps(context, replace(message, files=(file,))), {key: content}


def _plan_steps(context: Context, message: Message) -> Message:
    """Returns the message with the steps that every output needs for it."""
    steps = (step for output in context.outputs for step in output.list_steps(message))
    return replace(message, steps=tuple(steps))


def _read_unannounced(context: Context, scan_ids: set[str]) -> tuple[Finding, ...]:
    """Reads the findings of scans that ended before they could announce them."""
    if not scan_ids:
        return ()
    return tuple(each for each in context.findings.all() if each.scan_id in scan_ids)
