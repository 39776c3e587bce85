"""Starts the SSM process and sends commands to it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import msgspec

ROOT = Path(__file__).parents[2]


class Counts(msgspec.Struct, frozen=True):
    """calls: by operation since the last command, throttled ones included · open: findings now."""

    calls: dict[str, int]
    throttled: int
    open: int


@dataclass(frozen=True, slots=True)
class SsmProcess:
    """A running SSM. Each command returns the counts since the last one."""

    url: str

    def start_fleet(self, *groups: tuple[int, int]) -> Counts:
        """Replace the fleet. Each group is a number of nodes and the findings on each."""
        return self._send(do="start_fleet", groups=groups)

    def change(self, share: float) -> Counts:
        """Fix this share of the findings and add as many."""
        return self._send(do="change", share=share)

    def change_one_node(self) -> Counts:
        """Fix one finding of one node and add one."""
        return self._send(do="change_one_node")

    def rerun_all(self) -> Counts:
        """Run every node again with the same results."""
        return self._send(do="rerun_all")

    def fix_all(self) -> Counts:
        """Run every node again without failures."""
        return self._send(do="fix_all")

    def rerun_while_read(self, every: int) -> Counts:
        """Rerun the node being read after this many pages of items. 0 turns that off."""
        return self._send(do="rerun_while_read", every=every)

    def set_limits(self, latency: float = 0.0, rate: float | None = None) -> Counts:
        """Wait `latency` seconds before each response, and accept `rate` calls a second."""
        return self._send(do="set_limits", latency=float(latency), rate=rate)

    def read_counts(self) -> Counts:
        """Change nothing."""
        return self._send(do="nothing")

    def _send(self, **command: object) -> Counts:
        body = msgspec.json.encode(command)
        with urlopen(f"{self.url}/bench", body, timeout=60) as response:  # noqa: S310 - our own process
            return msgspec.json.decode(response.read(), type=Counts)


@contextmanager
def start_ssm() -> Iterator[SsmProcess]:
    """Run SSM on a free port while the block lasts."""
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
