"""Nodes, scans and totals, looked up by people and programs."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import Severity
from chalicelib.domain.node import Node, sum_severities
from chalicelib.domain.scan import Day, ScanRecord
from chalicelib.domain.snooze import Snooze, State
from chalicelib.domain.text import has_part
from chalicelib.usecases.context import Inbox
from chalicelib.usecases.inventory import TitleGroup

# A snooze that ends within this time ends soon.
SOON = timedelta(days=14)


class DeliveryState(StrEnum):
    """The state of a scan's message."""

    NO_MESSAGE = "no message"
    PENDING = "pending"
    SENT = "sent"


class NodePage(Struct, frozen=True):
    """A page of nodes, and the instance id to continue after; None at the end."""

    nodes: tuple[Node, ...]
    after: str | None


class ScanPage(Struct, frozen=True):
    """A page of scans, newest first, and the scan id to continue after; None at the end."""

    scans: tuple[tuple[ScanRecord, DeliveryState], ...]
    after: str | None


class TitleFilter(Struct, frozen=True):
    """Which titles to list. `q` is a part of the title, compared by the match key."""

    severity: Severity | None = None
    control_id: str | None = None
    q: str | None = None

    def keeps(self, group: TitleGroup) -> bool:
        """Whether to list a title."""
        return (
            self.severity in (None, group.severity)
            and self.control_id in (None, group.control_id)
            and (self.q is None or has_part(group.title, self.q))
        )


class TitlePage(Struct, frozen=True):
    """A page of titles, each with the number of its findings that a snooze mutes.

    `after` is the position to continue after, None at the end; `total` counts all pages.
    """

    titles: tuple[tuple[TitleGroup, int], ...]
    after: str | None
    total: int


class Summary(Struct, frozen=True):
    """Totals of the store. Findings are counted from the lists of the nodes, not read.

    `open` includes those that are `snoozed`; `unchecked` ones are not checked any more and
    are remembered. Of the snoozes that have not ended, `permanent` have no end, `ending_soon`
    end within `SOON`, and `by_person` counts them by who made them.
    """

    open: Mapping[Severity, int]
    snoozed: int
    unchecked: int
    nodes_known: int
    nodes_missing: int
    nodes_unverified: int
    snoozes: Mapping[State, int]
    permanent: int
    ending_soon: int
    by_person: Mapping[str, int]
    messages_pending: int
    last_scan: ScanRecord | None


def list_nodes(inbox: Inbox, after: str | None, limit: int) -> NodePage:
    """Returns a page of at most `limit` nodes."""
    nodes = tuple(inbox.nodes.page(after, limit + 1))
    more = len(nodes) > limit
    return NodePage(nodes[:limit], nodes[limit - 1].instance_id if more else None)


def list_scans(inbox: Inbox, after: str | None, limit: int) -> ScanPage:
    """Returns a page of at most `limit` scans."""
    scans = tuple(inbox.archive.scans(after, limit + 1))
    pending = {message.id for message in inbox.work.open().messages}
    page = tuple((scan, _find_delivery(scan, pending)) for scan in scans[:limit])
    return ScanPage(page, scans[limit - 1].scan_id if len(scans) > limit else None)


def _find_delivery(scan: ScanRecord, pending: set[str]) -> DeliveryState:
    if scan.message_id is None:
        return DeliveryState.NO_MESSAGE
    return DeliveryState.PENDING if scan.message_id in pending else DeliveryState.SENT


def get_node(inbox: Inbox, instance_id: str) -> Node:
    """Returns one node, or raises `NotFound`."""
    node = inbox.nodes.get([instance_id]).get(instance_id)
    if node is None:
        raise NotFound(f"No node {instance_id} is known. It may have left, or never reported.")
    return node


def list_titles(inbox: Inbox, wanted: TitleFilter, after: str | None, limit: int) -> TitlePage:
    """Returns a page of at most `limit` titles, worst first, as of the last scan."""
    inventory = inbox.inventory()
    chosen = [each for each in inventory.groups if wanted.keeps(each)]
    begin = 0 if after is None else bisect_right(chosen, _read_gravity(after), key=_by_gravity)
    muted = inventory.find_muted(_list_active(inbox))
    page = tuple(
        (each, sum(place.entry.key in muted for place in inventory.by_title[each.reference]))
        for each in chosen[begin : begin + limit]
    )
    is_last = len(chosen) <= begin + limit
    return TitlePage(page, None if is_last else _write_gravity(page[-1][0]), len(chosen))


def _by_gravity(group: TitleGroup) -> tuple[int, int, str]:
    return group.by_gravity()


def _write_gravity(group: TitleGroup) -> str:
    return "#".join(map(str, group.by_gravity()))


def _read_gravity(text: str) -> tuple[int, int, str]:
    """Reads a position; one of another form is the beginning."""
    rank, _, rest = text.partition("#")
    nodes, _, reference = rest.partition("#")
    if not (rank.isdecimal() and nodes.lstrip("-").isdecimal()):
        return -1, 0, ""
    return int(rank), int(nodes), reference


def _list_active(inbox: Inbox) -> list[Snooze]:
    now = inbox.clock()
    return [each for each in inbox.snoozes.unsettled() if each.state(now) is State.ACTIVE]


def list_days(inbox: Inbox, number: int) -> Sequence[Day]:
    """Returns the last days with numbers, so many with today, oldest first."""
    since = inbox.clock() - timedelta(days=number - 1)
    return inbox.archive.days(f"{since:%Y-%m-%d}")


def summarize(inbox: Inbox) -> Summary:
    """Returns the totals as of now; findings as of the last scan."""
    now, inventory = inbox.clock(), inbox.inventory()
    nodes = inventory.nodes.values()
    snoozes = inbox.snoozes.all()
    states = Counter(each.state(now) for each in snoozes)
    standing = [each for each in snoozes if each.state(now) is not State.ENDED]
    return Summary(
        open=sum_severities(nodes),
        snoozed=inventory.count_muted(each for each in standing if each.state(now) is State.ACTIVE),
        unchecked=sum(node.unchecked for node in nodes),
        nodes_known=len(nodes),
        nodes_missing=sum(node.missing_since is not None for node in nodes),
        nodes_unverified=sum(node.unverified_since is not None for node in nodes),
        snoozes={state: states[state] for state in State},
        permanent=sum(each.ends_at is None for each in standing),
        ending_soon=sum(each.end is not None and each.end - now <= SOON for each in standing),
        by_person=dict(Counter(each.created_by for each in standing).most_common()),
        messages_pending=len(inbox.work.open().messages),
        last_scan=next(iter(inbox.archive.scans(None, 1)), None),
    )
