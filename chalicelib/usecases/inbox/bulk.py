"""Many findings in one call: each is snoozed, or its snoozes end, as by a call of its own."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum

from msgspec import Struct

from chalicelib.domain.errors import FieldFault, NotFound, RuleBroken
from chalicelib.domain.finding import Finding
from chalicelib.domain.snooze import Scope
from chalicelib.domain.snooze_rules import SnoozeTerms, validate_snooze
from chalicelib.usecases.context import Author, Inbox
from chalicelib.usecases.inbox.snooze_history import read_pairs
from chalicelib.usecases.inbox.snoozes import snooze_finding, unsnooze_finding


class Result(StrEnum):
    """What was done with one finding. `KEPT`: it had a snooze, which has these terms now."""

    CREATED = "created"
    KEPT = "kept"
    ENDED = "ended"
    NOT_SNOOZED = "not_snoozed"
    NOT_FOUND = "not_found"


class BulkResult(Struct, frozen=True):
    """What was done with one finding. `snooze_id` is None if none was made or kept."""

    finding_id: str
    result: Result
    snooze_id: str | None = None


def snooze_findings(
    inbox: Inbox, finding_ids: Sequence[str], terms: SnoozeTerms, author: Author
) -> tuple[BulkResult, ...]:
    """Snoozes every finding on the same terms. A second call makes no second snooze.

    Raises `RuleBroken` before anything is written if an id is there twice, or no such
    finding is stored. One that is fixed meanwhile is not found.
    """
    stored = _read_all(inbox, finding_ids)
    for finding in stored.values():
        scope = Scope.of_finding(finding)
        validate_snooze(scope, terms, inbox.clock(), inbox.limits)
    results = []
    for finding_id in finding_ids:
        try:
            snooze, is_new = snooze_finding(inbox, finding_id, terms, None, author)
        except NotFound:
            results.append(BulkResult(finding_id, Result.NOT_FOUND))
        else:
            done = Result.CREATED if is_new else Result.KEPT
            results.append(BulkResult(finding_id, done, snooze.id))
    return tuple(results)


def unsnooze_findings(
    inbox: Inbox, finding_ids: Sequence[str], author: Author
) -> tuple[BulkResult, ...]:
    """Ends the snoozes of every finding now, also of a fixed one.

    Raises `RuleBroken` before anything is written if an id is there twice, or neither such a
    finding nor a snooze of it is stored.
    """
    stored = inbox.findings.get(set(finding_ids))
    fixed = {each for each in finding_ids if each not in stored and read_pairs(inbox, each, None)}
    _refuse([*_find_repeated(finding_ids), *_find_unknown(finding_ids, fixed.union(stored))])
    return tuple(
        BulkResult(each, Result.ENDED if is_ended else Result.NOT_SNOOZED)
        for each in finding_ids
        for is_ended in (unsnooze_finding(inbox, each, None, author),)
    )


def _read_all(inbox: Inbox, finding_ids: Sequence[str]) -> Mapping[str, Finding]:
    """Reads these findings; `RuleBroken` names every id that is not stored, or there twice."""
    stored = inbox.findings.get(set(finding_ids))
    _refuse([*_find_repeated(finding_ids), *_find_unknown(finding_ids, stored.keys())])
    return stored


def _find_unknown(finding_ids: Sequence[str], known: AbstractSet[str]) -> list[FieldFault]:
    return [
        FieldFault(f"/finding_ids/{number}", "unknown", "No finding with this id is stored.")
        for number, finding_id in enumerate(finding_ids)
        if finding_id not in known
    ]


def _find_repeated(finding_ids: Sequence[str]) -> list[FieldFault]:
    return [
        FieldFault(f"/finding_ids/{number}", "repeated", "Give each id once.")
        for number, finding_id in enumerate(finding_ids)
        if finding_id in finding_ids[:number]
    ]


def _refuse(faults: Sequence[FieldFault]) -> None:
    if faults:
        raise RuleBroken("Some ids are refused; nothing was written.", *faults)
