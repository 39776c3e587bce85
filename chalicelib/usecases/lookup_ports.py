"""What looking things up needs from the context, page by page, beside the ports of the pass.

The same errors as in ports.py: `Unavailable` and `Forbidden`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.domain.finding import Finding
from chalicelib.domain.history import HistoryEvent
from chalicelib.domain.node import Node
from chalicelib.domain.scan_record import ScanRecord


@dataclass(frozen=True, slots=True)
class Selection:
    """Which findings a list is of: one node's, one title's, or all. Not both."""

    instance_id: str | None = None
    title: str | None = None


class FindingPages(Protocol):
    """The findings table, read in pages."""

    def page(self, selection: Selection, after: str | None, limit: int) -> Sequence[Finding]:
        """At most `limit` findings behind the finding id `after`, in the order of the index.

        Eventually consistent. Fewer than `limit` means the end.
        """


class NodePages(Protocol):
    """The nodes table, read in pages."""

    def page(self, after: str | None, limit: int) -> Sequence[Node]:
        """At most `limit` nodes behind the instance id `after`; fewer means the end."""


class Archive(Protocol):
    """The finished part of the ledger, looked up."""

    def events_of(self, finding_id: str) -> Sequence[HistoryEvent]:
        """A finding's history, oldest first."""

    def scans(self, after: str | None, limit: int) -> Sequence[ScanRecord]:
        """At most `limit` passes, newest first, behind the scan id `after`."""

    def latest_monthly(self) -> str | None:
        """The bucket key of the newest monthly report that is stored."""
