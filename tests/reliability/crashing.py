"""Between the program and its ports: calls that fail, calls at which it dies, or is overtaken."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from threading import Lock
from typing import Any

from chalicelib.domain.errors import DeliveryError, ServiceError, Unavailable
from chalicelib.usecases.context import Context, Inbox

# The parts of a context that are calls to somebody else, and those that are not.
NO_PORTS = {"renderer", "clock", "concurrency", "quiet_answers"}


class Moment(StrEnum):
    """What goes wrong at one call.

    The program dies before it, half way through or after it, where half way
    means that the first half of several rows is written. Or it lives, and the
    call fails, or happens and its answer is lost.
    """

    BEFORE = "dies before"
    HALF = "dies half way through"
    AFTER = "dies after"
    FAILS = "fails"
    LOST = "happens, and its answer is lost"


CRASHES = (Moment.BEFORE, Moment.HALF, Moment.AFTER)


class CrashedError(BaseException):
    """The program is no more; nothing that it would still have done happens."""


@dataclass(frozen=True)
class CrashPoint:
    """A call, counted from 1, and what goes wrong there."""

    call: int
    moment: Moment


@dataclass
class Faults:
    """Calls that are still to go wrong, by port and method, or with the first argument as well.

    failing: raise before they happen · lost: happen, and raise · torn: leave out a row of
    what they return. A key is `compliance.items` or `compliance.items i-1`.
    """

    failing: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    torn: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)

    def pending(self) -> bool:
        """Whether anything is still to go wrong."""
        return any(map(Counter.total, (self.failing, self.lost, self.torn)))

    def take(self, waiting: Counter[str], name: str, args: tuple[Any, ...]) -> bool:
        """Use up one of those that wait for this call."""
        for key in (name, f"{name} {args[0]}" if args else name):
            if waiting[key] > 0:
                waiting[key] -= 1
                self.struck[name] += 1
                return True
        return False


class Fuse:
    """Counts the calls of all ports, and ends the program at one of them.

    `alive` is asked before every call: Lambda ends an invocation at its
    deadline. `turn` is waited for before every call, where several programs
    take turns. `meanwhile` is done before the call of that number.
    """

    def __init__(
        self,
        point: CrashPoint | None = None,
        *,
        meanwhile: tuple[int, Callable[[], object]] | None = None,
        faults: Faults | None = None,
        alive: Callable[[], bool] = lambda: True,
        turn: Callable[[], None] = lambda: None,
    ) -> None:
        self.calls: list[str] = []
        self.dead = False
        self._point = point
        self._meanwhile = meanwhile
        self._faults = faults or Faults()
        self._alive = alive
        self._turn = turn
        self._lock = Lock()

    def call(self, name: str, perform: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Perform a call, or die at it."""
        with self._lock:
            if self.dead:
                raise CrashedError(name)
            self._turn()
            self.calls.append(name)
            if self._meanwhile and self._meanwhile[0] == len(self.calls):
                self._meanwhile[1]()
            here = self._point is not None and self._point.call == len(self.calls)
            moment = self._point.moment if here and self._point else None
            too_late = not self._alive()
            self.dead = moment in CRASHES or too_late
            if moment is Moment.BEFORE or too_late:
                raise CrashedError(name)
            if moment is Moment.HALF:
                perform(*_half(args) if name in WRITES_OF_MANY else args)
                raise CrashedError(name)
            if moment is Moment.FAILS or self._faults.take(self._faults.failing, name, args):
                raise _error(name)
            result = perform(*args)
            if moment is Moment.AFTER:
                raise CrashedError(name)
            if moment is Moment.LOST or self._faults.take(self._faults.lost, name, args):
                raise _error(name)
            if self._faults.take(self._faults.torn, name, args):
                return tuple(result)[1:]
            return result


def _error(name: str) -> ServiceError:
    if name.startswith(("channel.", "files.")):
        return DeliveryError("service_unavailable", retryable=True)
    return Unavailable(f"{name} was told to fail")


class _Wired:
    """A port whose calls go through a fuse."""

    def __init__(self, name: str, port: object, fuse: Fuse) -> None:
        self._name, self._port, self._fuse = name, port, fuse

    def __getattr__(self, method: str) -> Callable[..., Any]:
        perform = getattr(self._port, method)
        return lambda *args: self._fuse.call(f"{self._name}.{method}", perform, args)


def wired(context: Context, fuse: Fuse) -> Context:
    """The context, with a fuse in every port."""
    ports = [each.name for each in fields(context) if each.name not in NO_PORTS]
    changes: dict[str, Any] = {name: _Wired(name, getattr(context, name), fuse) for name in ports}
    return replace(context, concurrency=1, **changes)


def wired_inbox(inbox: Inbox, fuse: Fuse) -> Inbox:
    """What the API sees, with a fuse in what it reads and writes of snoozes."""
    snoozes: Any = _Wired("snoozes", inbox.snoozes, fuse)
    return replace(inbox, snoozes=snoozes)


def points(calls: list[str], moments: Sequence[Moment] = CRASHES) -> list[CrashPoint]:
    """Every point at which a run that made these calls can be stopped, or disturbed."""
    return [
        CrashPoint(number, moment)
        for number, name in enumerate(calls, 1)
        for moment in moments
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
