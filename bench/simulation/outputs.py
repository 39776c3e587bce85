"""The bucket and the channel of a simulation: they keep what is needed to check them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.simulation.clock import SimulatedClock
from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.message import Rendered

# Seconds that a call to S3 or Slack takes.
ANSWERED = 0.5
# Where a line of a CSV has the finding id, behind its opening quote.
ID = slice(1, 33)


@dataclass(frozen=True, slots=True)
class StoredCsv:
    """What is kept of a file: its head, its finding ids as numbers, its number of rows."""

    head: str
    finding_ids: frozenset[int]
    rows: int


class CheckedFiles:
    """`Files` that keep ids, not bytes; nothing can be read back, as from a bucket that lost it."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.stored: dict[str, StoredCsv] = {}
        self._clock = clock

    def put(self, key: str, content: Iterable[bytes]) -> None:
        """Look a file through."""
        head, *lines = b"".join(content).decode("utf-8-sig").splitlines()
        ids = frozenset(int(line[ID], 16) for line in lines)
        self.stored[key] = StoredCsv(head, ids, len(lines))
        self._clock.forward(ANSWERED)

    def get(self, key: str) -> Iterator[bytes]:
        """Nothing."""
        raise DeliveryError(f"NoSuchKey {key}", retryable=False)


class KeptChannel:
    """`Channel` that keeps the texts, and how many files it was given."""

    def __init__(self, clock: SimulatedClock) -> None:
        self.texts: list[str] = []
        self.files = 0
        self._clock = clock

    def post(self, rendered: Rendered) -> str:
        """Keep a text."""
        self.texts.append(rendered.text)
        self._clock.forward(ANSWERED)
        return f"thread-{len(self.texts)}"

    def attach(self, thread: str, name: str, title: str, content: bytes) -> str:  # noqa: ARG002 - counted only
        """Count a file."""
        self.files += 1
        self._clock.forward(ANSWERED)
        return f"file-{self.files}"
