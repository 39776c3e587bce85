"""Brings any number of findings into order: sorted runs in temporary files, merged when read."""

import gzip
import heapq
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.finding import Finding, worst_first

# Findings that are in memory at once, some 10 MB.
RUN = 20_000
# Compressed, a finding takes some 30 bytes of the 512 MB that a Lambda function has in /tmp.
LEVEL = 1

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Finding)


@dataclass(frozen=True, slots=True)
class SortedRuns:
    """`Sorter`. Temporary files go into `folder`, or into the system's folder for them.

    `run` is the number of findings in memory at once.
    """

    run: int = RUN
    folder: Path | None = None

    def worst_first(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """All of them in order. The last run stays in memory; files go with what is returned."""
        rest = iter(findings)
        ordered = _Ordered()
        run = _sorted(islice(rest, self.run))
        while following := _sorted(islice(rest, self.run)):
            ordered.write(run, self.folder)
            run = following
        ordered.last = run
        return ordered


class _Ordered:
    """Runs that are merged by each reading."""

    def __init__(self) -> None:
        self.last: Sequence[Finding] = ()
        self._files: list[Path] = []
        self._place: Path | None = None

    def __iter__(self) -> Iterator[Finding]:
        return heapq.merge(*map(_read, self._files), self.last, key=worst_first)

    def write(self, run: Iterable[Finding], folder: Path | None) -> None:
        try:
            if self._place is None:
                self._place = Path(tempfile.mkdtemp(prefix="findings-", dir=folder))
                weakref.finalize(self, shutil.rmtree, self._place, ignore_errors=True)
            file = self._place / str(len(self._files))
            with gzip.open(file, "wb", compresslevel=LEVEL) as written:
                written.write(_ENCODER.encode_lines(run))
        except OSError as error:
            raise Unavailable(f"the temporary files of a report: {error.strerror}") from error
        self._files.append(file)


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=worst_first)


def _read(file: Path) -> Iterator[Finding]:
    with gzip.open(file, "rb") as lines:
        yield from map(_DECODER.decode, lines)
