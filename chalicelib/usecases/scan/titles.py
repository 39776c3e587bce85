"""Names findings that leave: their rows are deleted, and a node's list has no text."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from chalicelib.domain.finding import (
    Finding,
    OpenFinding,
    Title,
    finding_id,
    mark_control,
    title_reference,
)
from chalicelib.usecases.ports import FindingReader, Titles


class TitleBook:
    """The titles of one scan. They are read when the first is needed."""

    def __init__(self, titles: Titles, findings: FindingReader) -> None:
        self._titles = titles
        self._findings = findings
        self._known: dict[str, Title] | None = None
        self._fetched: dict[str, Finding] = {}

    def add(self, findings: Iterable[Finding], now: datetime) -> None:
        """Stores the titles that are not stored yet, or are stored with another control."""
        seen = {each.title: each.control_id for each in findings}
        if not seen:
            return
        known = self._read()
        added = {
            reference: Title(text, control_id)
            for text, control_id in seen.items()
            for reference in (title_reference(text),)
            if known.get(reference) != Title(text, control_id)
        }
        if added:
            self._titles.put(added.values(), now)
            known.update(added)

    def name(self, instance_id: str, entries: Iterable[OpenFinding]) -> tuple[Finding, ...]:
        """Returns the findings of a node's entries.

        An entry whose title or control is not the known one is read from the
        findings table, which still has it before the delete. One that is not
        there either has no name, and is left out.
        """
        entries = tuple(entries)
        if not entries:
            return ()
        known = self._read()
        missing = [
            each.finding_id
            for each in entries
            if each.finding_id not in self._fetched and not _fits(instance_id, each, known)
        ]
        if missing:
            self._fetched.update(self._findings.get(missing))
        named = (self._build(instance_id, each, known) for each in entries)
        return tuple(each for each in named if each is not None)

    def _build(
        self, instance_id: str, entry: OpenFinding, known: Mapping[str, Title]
    ) -> Finding | None:
        if entry.finding_id in self._fetched:
            return self._fetched[entry.finding_id]
        title = known.get(entry.reference)
        if title is None or not _fits(instance_id, entry, known):
            return None
        return Finding(
            instance_id, title.text, entry.severity, title.control_id, entry.first_seen, scan_id=""
        )

    def _read(self) -> dict[str, Title]:
        if self._known is None:
            self._known = dict(self._titles.all())
        return self._known


def _fits(instance_id: str, entry: OpenFinding, known: Mapping[str, Title]) -> bool:
    """Whether the known title is that of the entry. References are short, so this is proven."""
    title = known.get(entry.reference)
    return (
        title is not None
        and mark_control(title.control_id) == entry.control_mark
        and finding_id(instance_id, title.text) == entry.finding_id
    )
