"""SSM's JSON 1.1 over HTTP on 127.0.0.1, with `/bench` to control the fleet and the limits.

Run as `python -m bench.ssm.server`. It prints its port and ends when its standard input ends.
"""

import asyncio
import json
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.ssm.fleet import Fleet, get_parameter, list_items, list_summaries

ACTIONS: Mapping[str, Callable[[Fleet, Mapping[str, Any]], dict[str, Any]]] = {
    "ListResourceComplianceSummaries": list_summaries,
    "ListComplianceItems": list_items,
    "GetParameter": get_parameter,
}
# The calls under the rate limit. SSM limits Parameter Store apart, and no scan reaches that limit.
LIMITED = frozenset({"ListResourceComplianceSummaries", "ListComplianceItems"})
THROTTLED = {"__type": "ThrottlingException", "message": "Rate exceeded"}


@dataclass(slots=True)
class Limits:
    """A latency in seconds before each response, and a token bucket of `rate` calls a second.

    The bucket holds one second's calls, at least one. Without a rate, nothing is refused.
    """

    latency: float = 0.0
    rate: float | None = None
    calls: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    _tokens: float = 0.0
    _at: float = 0.0

    def set(self, latency: float, rate: float | None) -> None:
        """Apply new limits with a full bucket, and reset the counts."""
        self.latency, self.rate = latency, rate
        self._tokens, self._at = max(1.0, rate or 0.0), time.monotonic()
        self.reset_counts()

    def reset_counts(self) -> None:
        """Count from zero again."""
        self.calls.clear()
        self.throttled = 0

    def admit(self, operation: str) -> bool:
        """Count a call. False means that the rate refuses it."""
        self.calls[operation] += 1
        if self.rate is None or operation not in LIMITED:
            return True
        now = time.monotonic()
        self._tokens = min(max(1.0, self.rate), self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens < 1:
            self.throttled += 1
            return False
        self._tokens -= 1
        return True


@dataclass(slots=True)
class Ssm:
    """The fleet behind the server, and its limits."""

    fleet: Fleet = field(default_factory=Fleet)
    limits: Limits = field(default_factory=Limits)

    def respond(self, target: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of the response to one call."""
        operation = target.rpartition(".")[2]
        if not self.limits.admit(operation):
            return 400, THROTTLED
        action = ACTIONS.get(operation)
        if action is None:
            return 400, {"__type": "UnknownOperationException", "message": operation}
        return 200, action(self.fleet, request)

    def execute(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Execute a command. Returns the calls since the last one, and the open findings now."""
        counts = {"calls": dict(self.limits.calls), "throttled": self.limits.throttled}
        self.limits.reset_counts()
        match command:
            case {"do": "start_fleet", "groups": groups}:
                self.fleet.start(groups)
            case {"do": "change", "share": float(share)}:
                self.fleet.change(share)
            case {"do": "change_one_node"}:
                self.fleet.change_one_node()
            case {"do": "rerun_all"}:
                self.fleet.rerun_all()
            case {"do": "fix_all"}:
                self.fleet.fix_all()
            case {"do": "rerun_while_read", "every": int(every)}:
                self.fleet.rerun_every = every
            case {"do": "set_limits", "latency": float(latency), "rate": rate}:
                self.limits.set(latency, rate)
        return {**counts, "open": self.fleet.open_count}


async def serve(ssm: Ssm, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve the requests of one connection.

    Each response is one write with TCP_NODELAY. Otherwise a benchmark would measure Nagle's
    algorithm.
    """
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.casefold(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            request = json.loads(body or b"{}")
            if head[0].split()[1] == "/bench":
                status, response = 200, ssm.execute(request)
            else:
                status, response = ssm.respond(headers.get("x-amz-target", ""), request)
                if ssm.limits.latency:
                    await asyncio.sleep(ssm.limits.latency)
            content = json.dumps(response).encode()
            writer.write(
                f"HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.1\r\n"
                f"Content-Length: {len(content)}\r\n\r\n".encode()
                + content
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    """Serve until standard input ends."""
    ssm = Ssm()
    server = await asyncio.start_server(lambda r, w: serve(ssm, r, w), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
