"""Stages an announcement: decided at one instant, written in one transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count

from msgspec import Struct, field
from msgspec.structs import replace

from chalicelib.domain.announcement import Alert, ChannelState, LineReason, Topic
from chalicelib.domain.decision import (
    News,
    collect_lines,
    consider_facts,
    decide_announcement,
)
from chalicelib.domain.errors import Conflict, DeliveryError
from chalicelib.domain.finding import Finding, sort_worst_first
from chalicelib.domain.history import (
    APPEARED,
    BACK,
    FOLLOWED,
    VANISHED,
    EventKind,
    FactRow,
    Receipt,
    join_rows,
)
from chalicelib.domain.message import CsvFile, Message, Source
from chalicelib.domain.monthly import MESSAGE_PREFIX, count_nodes, monthly_csv_key, summarize_month
from chalicelib.domain.scan import Job, JobKind, Outcome, add_to_day, build_record
from chalicelib.domain.snooze import (
    ListedFinding,
    Muting,
    Snooze,
    SnoozeIndex,
    find_notes,
    list_unchecked,
    list_unsettled,
    list_with_snoozes,
    select_settled,
)
from chalicelib.usecases.announce.contents import (
    CsvContent,
    FoundChanges,
    ListChanges,
    list_found,
    render_changes,
)
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import OpenWork, Staged
from chalicelib.usecases.snooze_access import (
    PresentSnoozes,
    find_failing,
    follow_findings,
    read_snoozes_or_empty,
    retry_on_conflict,
)


class Announcement(Struct, frozen=True):
    """What was staged: the message, None if the scan is silent, and why.

    `contents` maps the keys of its files to what they hold. `announced` and `muted`
    count findings. `lost_facts` are the numbers of the facts that cannot be read.
    `differing` counts the findings by which the table and the lists of nodes differ.
    """

    message: Message | None = None
    contents: Mapping[str, CsvContent] = field(default_factory=dict)
    topic: Topic | None = None
    reason: str = ""
    announced: int = 0
    muted: int = 0
    lost_facts: tuple[range, ...] = ()
    differing: int = 0


NO_ANNOUNCEMENT = Announcement()


class ScanFacts(Struct, frozen=True):
    """What a scan has to announce or to count.

    news: findings that nobody has announced · earlier: facts that no scan has
    considered, because theirs died · lost: the numbers of those that cannot be read ·
    list_changes: yields what happened in this scan.
    """

    news: News
    earlier: tuple[FactRow, ...]
    lost: tuple[range, ...]
    list_changes: ListChanges

    @property
    def has_news(self) -> bool:
        """Whether there is anything that a snooze may mute."""
        return bool(self.news.new or self.news.worse or self.news.returned)


def stage_scan(
    context: Context,
    outcome: Outcome,
    work: OpenWork,
    snoozes: Sequence[Snooze],
    list_changes: ListChanges,
) -> Announcement:
    """Decides what this scan announces, and writes that with everything it settles.

    `snoozes` are those that the scan began with. They are read again if they decide
    anything. `list_changes` yields what happened in the scan.
    """
    facts = read_facts(context, outcome, work, list_changes)
    followed_after = _find_last_before_changes(work.channel_state, outcome, facts, snoozes)
    attempts = count()

    def decide() -> Announcement:
        present = PresentSnoozes(tuple(snoozes))
        if followed_after:
            present = follow_findings(context, followed_after, outcome.last)
        elif facts.has_news or _has_notes(snoozes, context.clock()):
            present = PresentSnoozes(read_snoozes_or_empty(context))
        # a later event may have changed a job
        jobs = _read_again(context, work.jobs) if next(attempts) else work.jobs
        waiting = replace(work, jobs=jobs)
        return _stage_scan(context, outcome, waiting, facts, present, context.clock())

    announcement = retry_on_conflict(decide)
    if followed_after:
        # those that were made after the decision had read them, and before it was written
        follow_findings(context, followed_after, outcome.last)
    return announcement


def _has_notes(snoozes: Iterable[Snooze], now: datetime) -> bool:
    """Whether any snooze has ended, or is to be mentioned."""
    snoozes = tuple(snoozes)
    return bool(list_unsettled(snoozes, now)) or any(find_notes(snoozes, now, 1))


def _find_last_before_changes(
    state: ChannelState, outcome: Outcome, facts: ScanFacts, snoozes: Iterable[Snooze]
) -> Receipt | None:
    """Returns the last fact before those that snoozes follow; None if there are none.

    A pair follows what is written otherwise, or is worse and in other words, too.
    """
    has_pair = any(each.scope.is_pair for each in snoozes)
    kinds = (*FOLLOWED, *APPEARED, EventKind.WORSE) if has_pair else FOLLOWED
    now = outcome.count(*kinds)
    earlier = any(row.list_keys(*kinds) for row in facts.earlier)
    return state.unfollowed_after or (state.facts if now or earlier else None)


def _read_again(context: Context, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """Reads these jobs again. Those that came since belong to the next scan."""
    keys = {job.key for job in jobs}
    return tuple(job for job in context.work.open().jobs if job.key in keys)


def read_facts(
    context: Context, outcome: Outcome, work: OpenWork, list_changes: ListChanges
) -> ScanFacts:
    """Reads the facts that scans left which ended before they could announce them.

    The channel's receipt may be ahead of the facts, if a part of the ledger comes
    from a backup. Then every fact since is lost.
    """
    after, until = work.channel_state.facts, outcome.before
    stored = context.facts.rows(after, until) if after.number < until.number else ()
    rows, lost = join_rows(stored, after, until)
    new, worse = _find_unannounced(context, outcome, work, rows, lost=bool(lost))
    news = News(
        new=(*outcome.new, *new),
        worse=(*outcome.worse, *worse),
        returned=(*outcome.returned, *_find_returned(context, rows)),
    )
    return ScanFacts(news, rows, lost, list_changes)


def _find_unannounced(
    context: Context, outcome: Outcome, work: OpenWork, rows: Sequence[FactRow], *, lost: bool
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Finds what earlier scans stored as new, or as worse, and nobody announced.

    It must still fail. Where facts are lost, everything counts that was stored since the
    last fact that was considered: announced twice is better than never.
    """
    found = _get_facts(context, rows, EventKind.NEW)
    worse = _get_facts(context, rows, EventKind.WORSE)
    if lost or work.unannounced_scans:
        since = work.channel_state.facts.scan_id
        found.update(
            (row.finding_id, row)
            for row in context.findings.all()
            if row.scan_id in work.unannounced_scans
            or (lost and _is_between(row.scan_id, since, outcome.scan_id))
        )
    return tuple(found.values()), tuple(worse.values())


def _get_facts(context: Context, rows: Sequence[FactRow], *kinds: EventKind) -> dict[str, Finding]:
    """Returns the stored findings to which this happened, by id."""
    ids = [key.finding_id for row in rows for key in row.list_keys(*kinds)]
    return dict(context.findings.get(ids)) if ids else {}


def _find_returned(context: Context, rows: Sequence[FactRow]) -> Iterator[tuple[Finding, Snooze]]:
    """Finds what failed again in scans that died, with a snooze that ended before that.

    Since when it was not checked is not known any more: announced twice is better than
    never.
    """
    found = _get_facts(context, rows, *BACK)
    if not found:
        return
    index = SnoozeIndex(each for each in context.snoozes.all() if each.settled_at)
    for finding in found.values():
        snooze = index.find(finding)
        if snooze:
            yield finding, snooze


def _is_between(scan_id: str, since: str, until: str) -> bool:
    """Whether a scan began after `since`, by the second: earlier ids sort no further."""
    second, first, last = (each.partition("-")[0] for each in (scan_id, since, until))
    return scan_id != since and first <= second <= last


def _stage_scan(
    context: Context,
    outcome: Outcome,
    work: OpenWork,
    facts: ScanFacts,
    present: PresentSnoozes,
    now: datetime,
) -> Announcement:
    snoozes = present.snoozes
    state = replace(work.channel_state, unfollowed_after=present.unfollowed_after)
    news = facts.news
    ended, waiting = select_settled(
        list_unsettled(snoozes, now), (*news.new, *news.worse), context.bounds.settled_snoozes
    )
    news = replace(news, ended=find_failing(context, ended), waiting=waiting)
    notes = find_notes(snoozes, now, context.bounds.settled_snoozes - len(ended))
    lines = replace(collect_lines(news, snoozes, now), notes=notes)
    decision = decide_announcement(
        outcome,
        lines,
        [job for job in work.jobs if job.kind is JobKind.EXECUTION],
        consider_facts(state, outcome, facts.earlier),
        now,
        quiet_answers=context.quiet_answers,
    )

    message: Message | None = None
    contents: Mapping[str, CsvContent] = {}
    if decision.alert:
        changes = FoundChanges(
            after=work.channel_state.unannounced_after or work.channel_state.facts,
            before=outcome.before,
            last=outcome.last,
            list_changes=facts.list_changes,
            checked_at=outcome.coverage.checked_at,
        )
        message, contents = _build_message(context, decision.alert, ended, changes, now)
    changed = decision.channel_state != work.channel_state
    day = add_to_day(work.day, outcome, facts.earlier, now)
    context.work.stage(
        Staged(
            message=message,
            unannounced_scans=work.unannounced_scans,
            completed=decision.completed,
            snoozes=tuple(
                replace(each, version=each.version + 1)
                for each in (
                    *(replace(each, settled_at=now) for each in ended),
                    *(notes.note() if decision.alert else ()),
                )
            ),
            channel_state=decision.channel_state if changed else None,
            scan=build_record(outcome, now, message.id if message else None),
            day=day if day != work.day else None,
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
        lost_facts=facts.lost,
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

    def list_rows() -> Iterator[ListedFinding]:
        yield from list_with_snoozes(stored, muting, nodes.checked_at)
        yield from list_unchecked(context.unchecked.all(), muting)

    report = summarize_month(list_rows(), nodes, now, key)
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
        contents={key: lambda: context.render_csv(list_rows())},
        announced=report.total,
        differing=abs(report.total - nodes.findings),
    )


def _build_message(
    context: Context,
    alert: Alert,
    ended: Iterable[Snooze],
    changes: FoundChanges,
    now: datetime,
) -> tuple[Message, dict[str, CsvContent]]:
    """Freezes the message and puts its CSVs into the bucket. A refusal delays only the file."""
    scan_id = alert.outcome.scan_id
    ended_by_snooze = LineReason.SNOOZE_ENDED
    news = (each for each in alert.lines.announced if each.reason is not ended_by_snooze)
    path = f"alerts/{now:%Y/%m/%d}/{scan_id}"
    has_vanished = any(alert.changes.get(kind) for kind in VANISHED)
    vanished = list_found(context, changes, VANISHED) if has_vanished else ()
    alert = replace(
        alert,
        csv_key=f"{path}.csv",
        vanished=tuple(vanished),
    )
    message = Message(
        id=scan_id,
        created_at=now,
        alert=replace(context.summarize(alert), fix=_find_fix(context, alert)),
        scan_ids=tuple(sorted({each.finding.scan_id for each in news})),
        snooze_ids=tuple(sorted({each.id for each in ended} | _list_snoozes(alert))),
    )
    files: list[CsvFile] = []
    contents: dict[str, CsvContent] = {}
    reasons = {line.finding.key: line.reason for line in alert.lines.announced}
    findings = sort_worst_first(line.finding for line in alert.lines.announced)
    if findings:
        files.append(CsvFile(alert.csv_key, "Non-compliant findings", Source.SCANS))
        # no snooze mutes any of them now
        contents[alert.csv_key] = lambda: context.render_announced(
            (
                ListedFinding(finding, None, changes.checked_at.get(finding.instance_id)),
                reasons[finding.key],
            )
            for finding in findings
        )
    if alert.changes:
        message = replace(message, changes=(changes.after, changes.last))
        key = f"{path}-changes.csv"
        files.append(CsvFile(key, "What happened to findings", Source.CHANGES))
        contents[key] = render_changes(context, changes, alert.changes)
    stored = tuple(_store(context, file, contents[file.key]) for file in files)
    return _plan_steps(context, replace(message, files=stored)), contents


def _find_fix(context: Context, alert: Alert) -> str:
    """Finds how to mend what an alert lists, if all of it is of one control; empty if not."""
    control_ids = {line.finding.control_id for line in alert.lines.announced}
    if len(control_ids) != 1 or "" in control_ids:
        return ""
    (control_id,) = control_ids
    return context.controls[control_id].fix if control_id in context.controls else ""


def _list_snoozes(alert: Alert) -> set[str]:
    """Lists the snoozes whose end the lines of an alert tell."""
    return {each.snooze.id for each in alert.lines.announced if each.snooze}


def _store(context: Context, file: CsvFile, content: CsvContent) -> CsvFile:
    """Puts a CSV into the bucket, if that takes it. If not, the output does it later."""
    try:
        context.files.put(file.key, content())
    except DeliveryError:
        return file
    return replace(file, stored=True)


def _plan_steps(context: Context, message: Message) -> Message:
    """Returns the message with the steps that every output needs for it."""
    steps = (step for output in context.outputs for step in output.list_steps(message))
    return replace(message, steps=tuple(steps))
