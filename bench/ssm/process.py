"""Starts the SSM process, and steers it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import msgspec

ROOT = Path(__file__).parents[2]


class Counted(msgspec.Struct, frozen=True):
    """`calls` by operation since the last order, throttled ones too; what is `open` after it."""

    calls: dict[str, int]
    throttled: int
    open: int


@dataclass(frozen=True, slots=True)
class SsmProcess:
    """A running SSM. Each order returns what was called since the last one."""

    url: str

    def first(self, *groups: tuple[int, int]) -> Counted:
        """Let a new fleet report: of each group so many nodes with so many findings each."""
        return self._order(do="first", groups=groups)

    def change(self, share: float) -> Counted:
        """Resolve this share of the findings and open as many."""
        return self._order(do="change", share=share)

    def one(self) -> Counted:
        """Let one node change."""
        return self._order(do="one")

    def again(self) -> Counted:
        """Let every node run again and report the same."""
        return self._order(do="again")

    def resolve_all(self) -> Counted:
        """Let every node pass everything."""
        return self._order(do="resolve_all")

    def restless(self, every: int) -> Counted:
        """Let a node run again after every so many pages of items, while it is read; 0: never."""
        return self._order(do="restless", every=every)

    def limits(self, latency: float = 0.0, rate: float | None = None) -> Counted:
        """Answer after `latency` seconds, and take `rate` calls a second."""
        return self._order(do="limits", latency=float(latency), rate=rate)

    def counts(self) -> Counted:
        """What was called since it was asked last."""
        return self._order(do="nothing")

    def _order(self, **order: object) -> Counted:
        with urlopen(f"{self.url}/bench", msgspec.json.encode(order), timeout=60) as answer:  # noqa: S310 - our own process
            return msgspec.json.decode(answer.read(), type=Counted)


@contextmanager
def ssm_process() -> Iterator[SsmProcess]:
    """Run it on a free port while the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.ssm.server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield SsmProcess(f"http://127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.stdin.close()
            process.wait(timeout=10)
