"""The history of a snooze: what people did, and what time and fixes did to it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.history import SnoozeEvent, SnoozeEventKind
from chalicelib.domain.snooze import Snooze, State

# An answer ends at 6 MB (Lambda quotas), and a line may have 3 KB.
MOST_LINES = 1_000
# Who ends and tells where no person does.
SERVICE = "ec2-inspec-scan"


@dataclass(frozen=True, slots=True)
class SnoozeLine:
    """One line: when, what, by whom, by which way; the rest is what the snooze says since."""

    snooze_id: str
    at: datetime
    kind: str
    by: str
    via: str
    ends_at: datetime | None
    reason: str
    comment: str


def list_history_lines(
    snooze: Snooze, events: Iterable[SnoozeEvent], now: datetime
) -> tuple[SnoozeLine, ...]:
    """What people did is written down; an end by time or fix is derived.

    So is `settled`: from then on nothing is owed for the end, because what
    still failed was told, or nothing did.
    """
    stored = sorted(events, key=lambda event: event.version)
    lines = [
        SnoozeLine(
            each.snooze_id,
            each.at,
            each.kind,
            each.by,
            each.via,
            each.ends_at,
            each.reason,
            each.comment,
        )
        for each in stored
    ]
    by_hand = any(each.kind is SnoozeEventKind.ENDED for each in stored)
    if snooze.state(now) is State.ENDED and snooze.end is not None and not by_hand:
        way = "time" if snooze.ended_at is None else "fix"
        lines.append(_derived(snooze, snooze.end, "ended", way))
    if snooze.settled_at is not None:
        lines.append(_derived(snooze, snooze.settled_at, "settled", "scan"))
    return tuple(lines)


def _derived(snooze: Snooze, at: datetime, kind: str, via: str) -> SnoozeLine:
    return SnoozeLine(
        snooze.id, at, kind, SERVICE, via, snooze.ends_at, snooze.reason, snooze.comment
    )
