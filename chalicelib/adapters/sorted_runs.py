"""Sorts any number of findings: sorted runs in temporary files, merged when read."""

import gzip
import heapq
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct

from chalicelib.domain.errors import Unavailable
from chalicelib.domain.finding import Finding, sort_worst_first, worst_first

# Findings in memory at once: some 10 MB.
RUN = 20_000
# gzip's level. A compressed finding takes some 30 bytes of the 512 MB that Lambda has in /tmp.
LEVEL = 1

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Finding)


class SortedRuns(Struct, frozen=True):
    """`Sorter`. Temporary files go into `folder`, or into the system's folder for them.

    `run` is the number of findings in memory at once.
    """

    run: int = RUN
    folder: Path | None = None

    def worst_first(self, findings: Iterable[Finding]) -> Iterable[Finding]:
        """Sorts findings. The last run stays in memory.

        The files exist as long as the result. Raises `Unavailable` if they cannot
        be written.
        """
        rest = iter(findings)
        runs = _MergedRuns()
        run = sort_worst_first(islice(rest, self.run))
        while following := sort_worst_first(islice(rest, self.run)):
            runs.write(run, self.folder)
            run = following
        runs.last = run
        return runs


class _MergedRuns:
    """Sorted runs, merged anew by each iteration."""

    def __init__(self) -> None:
        self.last: Sequence[Finding] = ()
        self._files: list[Path] = []
        self._folder: Path | None = None

    def __iter__(self) -> Iterator[Finding]:
        return heapq.merge(*map(_read, self._files), self.last, key=worst_first)

    def write(self, run: Iterable[Finding], folder: Path | None) -> None:
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="findings-", dir=folder))
                weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
            path = self._folder / str(len(self._files))
            with gzip.open(path, "wb", compresslevel=LEVEL) as file:
                file.write(_ENCODER.encode_lines(run))
        except OSError as error:
            text = f"A temporary file of a report could not be written: {error.strerror}"
            raise Unavailable(text) from error
        self._files.append(path)


def _read(path: Path) -> Iterator[Finding]:
    with gzip.open(path, "rb") as lines:
        yield from map(_DECODER.decode, lines)
