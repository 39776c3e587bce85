"""The process: SSM's JSON 1.1 over HTTP on 127.0.0.1, and `/bench` to steer it.

Run as `python -m bench.ssm.server`; it prints its port and ends with its standard input. One
write for each answer and TCP_NODELAY, so that no benchmark measures Nagle's algorithm.
"""

import asyncio
import json
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.ssm import answers
from bench.ssm.fleet import Fleet
from bench.ssm.limits import Limits

ACTIONS: Mapping[str, Callable[[Fleet, Mapping[str, Any]], dict[str, Any]]] = {
    "ListResourceComplianceSummaries": answers.summaries,
    "ListComplianceItems": answers.items,
    "GetParameter": answers.parameter,
}
THROTTLED = {"__type": "ThrottlingException", "message": "Rate exceeded"}


@dataclass(slots=True)
class Ssm:
    """The fleet behind the server, and its limits."""

    fleet: Fleet = field(default_factory=Fleet)
    limits: Limits = field(default_factory=Limits)

    def answer(self, target: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of one call."""
        operation = target.rpartition(".")[2]
        if not self.limits.admits(operation):
            return 400, THROTTLED
        action = ACTIONS.get(operation)
        if action is None:
            return 400, {"__type": "UnknownOperationException", "message": operation}
        return 200, action(self.fleet, request)

    def steer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what `do` asks for; returns what was called before, and what is open after it."""
        counted = {"calls": dict(self.limits.calls), "throttled": self.limits.throttled}
        self.limits.forget()
        match request:
            case {"do": "first", "groups": groups}:
                self.fleet.first(groups)
            case {"do": "change", "share": float(share)}:
                self.fleet.change(share)
            case {"do": "one"}:
                self.fleet.one()
            case {"do": "again"}:
                self.fleet.again()
            case {"do": "resolve_all"}:
                self.fleet.resolve_all()
            case {"do": "restless", "every": int(every)}:
                self.fleet.restless = every
            case {"do": "limits", "latency": float(latency), "rate": rate}:
                self.limits.set(latency, rate)
        return {**counted, "open": self.fleet.open}


async def serve(ssm: Ssm, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection."""
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
                status, answer = 200, ssm.steer(request)
            else:
                status, answer = ssm.answer(headers.get("x-amz-target", ""), request)
                if ssm.limits.latency:
                    await asyncio.sleep(ssm.limits.latency)
            content = json.dumps(answer).encode()
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
