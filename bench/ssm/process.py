"""Starts the SSM process, and steers it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen


@dataclass(frozen=True, slots=True)
class SsmProcess:
    """A running SSM. Each order returns what was called since the last one."""

    url: str

    def first(self, nodes: int, each: int) -> dict[str, Any]:
        """Let so many nodes report so many findings each."""
        return self._order(do="first", nodes=nodes, each=each)

    def change(self, share: float) -> dict[str, Any]:
        """Resolve this share of the findings and open as many."""
        return self._order(do="change", share=share)

    def one(self) -> dict[str, Any]:
        """Let one node change."""
        return self._order(do="one")

    def resolve_all(self) -> dict[str, Any]:
        """Let every node pass everything."""
        return self._order(do="resolve_all")

    def limits(self, latency: float = 0.0, rate: float | None = None) -> dict[str, Any]:
        """Answer after `latency` seconds, and take `rate` calls a second."""
        return self._order(do="limits", latency=float(latency), rate=rate)

    def counts(self) -> dict[str, Any]:
        """`calls` by operation, throttled ones included, and how many were `throttled`."""
        return self._order(do="nothing")

    def _order(self, **order: object) -> dict[str, Any]:
        with urlopen(f"{self.url}/bench", json.dumps(order).encode(), timeout=60) as answer:  # noqa: S310 - our own process
            counted: dict[str, Any] = json.load(answer)
        return counted


@contextmanager
def ssm_process() -> Iterator[SsmProcess]:
    """Run it on a free port while the block lasts."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.ssm.server"],
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
