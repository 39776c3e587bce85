"""Stages what to say: decided here and only here, at one instant, written in one transaction."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.alert import Alert, decide, lines_of
from chalicelib.domain.debt import Debt, DebtKind
from chalicelib.domain.errors import Conflict, DeliveryError, ServiceError
from chalicelib.domain.finding import Finding, finding_id, worst_first
from chalicelib.domain.message import CsvFile, Message, Source, Step
from chalicelib.domain.monthly import (
    MESSAGE_PREFIX,
    Listed,
    count_nodes,
    csv_key,
    listed,
    summarize,
)
from chalicelib.domain.outcome import Outcome
from chalicelib.domain.snooze import Muting, Snooze, scopes, untold
from chalicelib.usecases.ports import MAX_TOLD_SNOOZES, OpenWork, Staged
from chalicelib.usecases.world import Content, Spoken, World

# A snooze changed between reading and writing: decide again this often.
ATTEMPTS = 3


def snoozes_or_none(world: World) -> tuple[Snooze, ...] | None:
    """All snoozes that a pass has to do with; None where they cannot be read."""
    try:
        return tuple(world.snoozes.unsettled())
    except ServiceError:
        return None


def audible(world: World) -> tuple[Snooze, ...]:
    """All snoozes; as if there were none where they cannot be read, so that all is alerted."""
    return snoozes_or_none(world) or ()


def stage_scan(world: World, outcome: Outcome, work: OpenWork) -> Spoken:
    """Decide what this pass says and write it down, with everything that it settles."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _stage_scan(world, outcome, work)
        except Conflict:
            continue
    return _stage_scan(world, outcome, work)


def _stage_scan(world: World, outcome: Outcome, work: OpenWork) -> Spoken:
    now = world.clock()
    snoozes = audible(world)
    marks = sorted({*work.open_scans, *({outcome.scan_id} if outcome.opened else ())})
    ended = untold(snoozes, now)[:MAX_TOLD_SNOOZES]
    opened = (*outcome.opened, *_left_over(world, set(marks) - {outcome.scan_id}))
    lines = lines_of(opened, failing(world, ended), snoozes, now)
    decision = decide(
        outcome,
        lines,
        [debt for debt in work.debts if debt.kind is DebtKind.EXECUTION],
        work.told,
        now,
        quiet_answers=world.quiet_answers,
    )
    draft = _draft(world, decision.alert, marks, ended, now) if decision.alert else Draft()
    staged = Staged(
        message=draft.message,
        open_scans=tuple(marks),
        paid=decision.paid,
        told_snoozes=tuple(replace(each, told_at=now, version=each.version + 1) for each in ended),
        told=decision.told if decision.told != work.told else None,
    )
    world.work.stage(staged, now)
    return Spoken(
        message=draft.message,
        topic=decision.alert.topic if decision.alert else None,
        told=len(lines.told),
        muted=lines.muted,
        content=draft.content,
    )


def stage_monthly(world: World, debts: Sequence[Debt]) -> Spoken:
    """Write down the monthly report for the newest of the owed months, settling all of them."""
    now = world.clock()
    # counted first and let go of, so that a large fleet is not in memory beside its findings
    nodes = count_nodes(world.nodes.all())
    newest = max(debts, key=lambda debt: debt.event_at)
    stored = world.sorter.worst_first(world.findings.all())
    muting = Muting(audible(world), now)
    file = CsvFile(csv_key(newest.event_at), "All stored non-compliant findings", Source.EVERYTHING)
    report = summarize(listed(stored, muting), nodes, now, file.key)
    message = Message(
        id=f"{MESSAGE_PREFIX}{newest.event_at:%Y-%m-%d}",
        created_at=now,
        rendered=world.renderer.monthly(report),
        csv=file,
    )
    # stored by its delivery step: a month that was reported already must not be overwritten
    try:
        world.work.stage(Staged(message=message, paid=tuple(debts)), now)
    except Conflict:
        world.work.stage(Staged(paid=tuple(debts)), now)
        return Spoken()
    return Spoken(
        message=message,
        told=report.total,
        content=lambda: world.renderer.csv(listed(stored, muting)),
    )


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it is written down, and its CSV."""

    message: Message | None = None
    content: Content | None = None


def _draft(
    world: World,
    alert: Alert,
    marks: Sequence[str],
    ended: Iterable[Snooze],
    now: datetime,
) -> Draft:
    scan_id = alert.outcome.scan_id
    key = f"alerts/{now:%Y/%m/%d}/{scan_id}.csv"
    findings = sorted((line.finding for line in alert.lines.told), key=worst_first)
    message = Message(
        id=scan_id,
        created_at=now,
        rendered=world.renderer.alert(replace(alert, csv_key=key)),
        csv=CsvFile(key, "Non-compliant findings", Source.SCANS) if findings else None,
        scan_ids=tuple(marks),
        snooze_ids=tuple(each.id for each in ended),
    )
    if not findings:
        return Draft(message)

    def content() -> Iterator[bytes]:
        # what a snooze mutes now is not among them
        return world.renderer.csv(Listed(finding, None) for finding in findings)

    return Draft(_stored(world, message, key, content()), content)


def _stored(world: World, message: Message, key: str, content: Iterable[bytes]) -> Message:
    """Put the CSV away before the message is written down; a refusal delays only the file."""
    try:
        world.files.put(key, content)
    except DeliveryError:
        return message
    return message.after(Step.STORE, key)


def failing(world: World, snoozes: Sequence[Snooze]) -> list[tuple[Snooze, list[Finding]]]:
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
    stored = _about(world, snoozes) if wide else tuple(world.findings.get(ids).values())
    return [
        (each, [row for row in stored if each.covers(row.instance_id, row.title)])
        for each in snoozes
    ]


def _about(world: World, snoozes: Iterable[Snooze]) -> tuple[Finding, ...]:
    wanted = {each.scope for each in snoozes}
    return tuple(each for each in world.findings.all() if not wanted.isdisjoint(scopes(each)))


def _left_over(world: World, scan_ids: set[str]) -> tuple[Finding, ...]:
    """Findings that a pass which never came to telling has opened."""
    if not scan_ids:
        return ()
    return tuple(each for each in world.findings.all() if each.scan_id in scan_ids)
