"""Between the program and its ports: calls that fail, calls at which it dies, or is overtaken."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from threading import Lock
from typing import Any

from chalicelib.domain.errors import DeliveryError, Unavailable
from chalicelib.usecases.world import World

# The parts of a world that are calls to somebody else, and those that are not.
NO_PORTS = {"renderer", "clock", "concurrency", "quiet_answers"}


class Moment(StrEnum):
    """When the program dies, seen from one call.

    half: a call that writes several rows has written the first half of them.
    """

    BEFORE = "before"
    HALF = "half way through"
    AFTER = "after"


class CrashedError(BaseException):
    """The program is no more; nothing that it would still have done happens."""


@dataclass(frozen=True)
class CrashPoint:
    """The call, counted from 1, and when; `None` never crashes."""

    call: int
    moment: Moment


class Fuse:
    """Counts the calls of all ports, and ends the program at one of them.

    `meanwhile` is done before the call of that number, as by another worker.
    `faults` counts calls that are still to fail, by port and method, or by
    port, method and first argument: `compliance.items i-1`.
    """

    def __init__(
        self,
        point: CrashPoint | None = None,
        meanwhile: tuple[int, Callable[[], None]] | None = None,
        faults: Counter[str] | None = None,
    ) -> None:
        self.calls: list[str] = []
        self._point = point
        self._meanwhile = meanwhile
        self._faults = Counter() if faults is None else faults
        self._dead = False
        self._lock = Lock()

    def call(self, name: str, perform: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Perform a call, or die at it."""
        with self._lock:
            if self._dead:
                raise CrashedError(name)
            self.calls.append(name)
            if self._meanwhile and self._meanwhile[0] == len(self.calls):
                self._meanwhile[1]()
            here = self._point is not None and self._point.call == len(self.calls)
            moment = self._point.moment if here and self._point else None
            self._dead = moment is not None
            if moment is Moment.BEFORE:
                raise CrashedError(name)
            if moment is Moment.HALF:
                perform(*_half(args) if name in WRITES_OF_MANY else args)
                raise CrashedError(name)
            self._fail(name, args)
            result = perform(*args)
            if moment is Moment.AFTER:
                raise CrashedError(name)
            return result

    def _fail(self, name: str, args: tuple[Any, ...]) -> None:
        for key in (name, f"{name} {args[0]}" if args else name):
            if self._faults[key] > 0:
                self._faults[key] -= 1
                if name.startswith(("channel.", "files.")):
                    raise DeliveryError("service_unavailable", retryable=True)
                raise Unavailable(f"{key} was told to fail")


class _Wired:
    """A port whose calls go through a fuse."""

    def __init__(self, name: str, port: object, fuse: Fuse) -> None:
        self._name, self._port, self._fuse = name, port, fuse

    def __getattr__(self, method: str) -> Callable[..., Any]:
        perform = getattr(self._port, method)
        return lambda *args: self._fuse.call(f"{self._name}.{method}", perform, args)


def wired(world: World, fuse: Fuse) -> World:
    """The world, with a fuse in every port."""
    ports = [each.name for each in fields(world) if each.name not in NO_PORTS]
    changes: dict[str, Any] = {name: _Wired(name, getattr(world, name), fuse) for name in ports}
    return replace(world, concurrency=1, **changes)


def points(calls: list[str]) -> list[CrashPoint]:
    """Every point at which a run that made these calls can be stopped."""
    return [
        CrashPoint(number, moment)
        for number, name in enumerate(calls, 1)
        for moment in Moment
        if moment is not Moment.HALF or name in WRITES_OF_MANY
    ]


# A batch is written row by row: it can end anywhere between the first and the last.
WRITES_OF_MANY = {
    "findings.put",
    "findings.delete",
    "nodes.put",
    "nodes.delete",
    "journal.write",
}


def _half(args: tuple[Any, ...]) -> tuple[Any, ...]:
    rows = list(args[0])
    return rows[: len(rows) // 2], *args[1:]
