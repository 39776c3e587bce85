"""The ports that the API works through, bound together once by the composition root."""

from dataclasses import dataclass
from datetime import timedelta

from chalicelib.usecases.lookup_ports import Archive, FindingPages, NodePages
from chalicelib.usecases.ports import Clock, FindingReader, NodeStore, Snoozes, Work


@dataclass(frozen=True, slots=True)
class Inbox:
    """Everything outside the API's use cases. `longest` bounds a snooze that has an end."""

    findings: FindingReader
    finding_pages: FindingPages
    nodes: NodeStore
    node_pages: NodePages
    snoozes: Snoozes
    work: Work
    archive: Archive
    clock: Clock
    longest: timedelta


@dataclass(frozen=True, slots=True)
class Author:
    """Who does something, and by which way."""

    name: str
    via: str = "api"
