"""Stands between the program and its ports: calls fail, the program dies, or it is overtaken."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import RLock
from typing import Any

from msgspec.structs import replace

from chalicelib.domain.errors import DeliveryError, ServiceError, Unavailable
from chalicelib.usecases.context import Context, Inbox

# The fields of a context that call nobody. The sorter reads what it sorts through other ports.
NOT_PORTS = {
    "sorter",
    "controls",
    "outputs",
    "fact_outputs",
    "render_csv",
    "render_announced",
    "render_changes",
    "summarize",
    "clock",
    "concurrency",
    "quiet_answers",
    "keep_unchecked",
    "bounds",
}
# Calls that write row by row, so they may end between two rows.
BATCH_WRITES = {
    "findings.put",
    "findings.delete",
    "nodes.put",
    "titles.put",
    "unchecked.put",
    "unchecked.delete",
    "journal.write",
}


class Moment(StrEnum):
    """What goes wrong at one call.

    The program dies before, during or after the call. During means that the first
    half of the rows is written. Or the program lives, and the call fails, or it
    succeeds and its response is lost.
    """

    BEFORE = "dies before"
    DURING = "dies during"
    AFTER = "dies after"
    FAILS = "fails"
    LOST = "succeeds, and its response is lost"


CRASHES = (Moment.BEFORE, Moment.DURING, Moment.AFTER)


class CrashedError(BaseException):
    """The program is dead. Nothing that it would still have done happens."""


@dataclass(frozen=True)
class CrashPoint:
    """A call, counted from 1, and what goes wrong there."""

    call: int
    moment: Moment


@dataclass
class Faults:
    """The number of calls that will still go wrong, by port and method.

    failing: raise an error before they happen · lost: happen and raise an error ·
    torn: return all items but the first · injected: those that went wrong, by port
    and method. A key is `compliance.items`, or with the first argument
    `compliance.items i-1`.
    """

    failing: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    torn: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)

    def take(self, waiting: Counter[str], name: str, args: tuple[Any, ...]) -> bool:
        """Uses up one fault that waits for this call. Returns whether there was one."""
        for key in (name, f"{name} {args[0]}" if args else name):
            if waiting[key] > 0:
                waiting[key] -= 1
                self.injected[name] += 1
                return True
        return False


class Fuse:
    """Counts the calls of all ports, and lets one of them go wrong.

    `meanwhile` does something just before the call of this number. `is_alive` is
    checked before every call, because Lambda ends an invocation at its deadline.
    `wait_for_turn` is called before every call if several programs take turns.
    """

    def __init__(
        self,
        point: CrashPoint | None = None,
        *,
        meanwhile: tuple[int, Callable[[], object]] | None = None,
        faults: Faults | None = None,
        is_alive: Callable[[], bool] = lambda: True,
        wait_for_turn: Callable[[], None] = lambda: None,
    ) -> None:
        self.calls: list[str] = []
        self.is_dead = False
        self._point = point
        self._meanwhile = meanwhile
        self._faults = faults or Faults()
        self._is_alive = is_alive
        self._wait_for_turn = wait_for_turn
        # a CSV that is stored may read through another port
        self._lock = RLock()

    def call(self, name: str, perform: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Performs a call, unless it goes wrong. Raises `CrashedError` if the program dies."""
        with self._lock:
            if self.is_dead:
                raise CrashedError(name)
            self._wait_for_turn()
            self.calls.append(name)
            if self._meanwhile and self._meanwhile[0] == len(self.calls):
                self._meanwhile[1]()
            is_here = self._point is not None and self._point.call == len(self.calls)
            moment = self._point.moment if is_here and self._point else None
            too_late = not self._is_alive()
            self.is_dead = moment in CRASHES or too_late
            if moment is Moment.BEFORE or too_late:
                raise CrashedError(name)
            if moment is Moment.DURING:
                perform(*_keep_half(args) if name in BATCH_WRITES else args)
                raise CrashedError(name)
            if moment is Moment.FAILS or self._faults.take(self._faults.failing, name, args):
                raise _make_error(name)
            result = perform(*args)
            if moment is Moment.AFTER:
                raise CrashedError(name)
            if moment is Moment.LOST or self._faults.take(self._faults.lost, name, args):
                raise _make_error(name)
            if self._faults.take(self._faults.torn, name, args):
                return replace(result, items=result.items[1:])
            return result


def _make_error(name: str) -> ServiceError:
    if name.startswith(("channel.", "files.", "receiver.")):
        return DeliveryError("service_unavailable", retryable=True)
    return Unavailable(f"{name} fails, as the test asked")


def _keep_half(args: tuple[Any, ...]) -> tuple[Any, ...]:
    rows = list(args[0])
    return rows[: len(rows) // 2], *args[1:]


class _FusedPort:
    """A port whose calls go through a fuse."""

    def __init__(self, name: str, port: object, fuse: Fuse) -> None:
        self._name, self._port, self._fuse = name, port, fuse

    def __getattr__(self, method: str) -> Any:
        perform = getattr(self._port, method)
        if not callable(perform):
            return perform
        return lambda *args: self._fuse.call(f"{self._name}.{method}", perform, args)


def add_fuse(context: Context, fuse: Fuse, concurrency: int = 1) -> Context:
    """Returns the context with the fuse in every port, also in those behind the outputs."""
    names = [each for each in context.__struct_fields__ if each not in NOT_PORTS]
    ports: dict[str, Any] = {name: _FusedPort(name, getattr(context, name), fuse) for name in names}
    outputs = tuple(_add_fuse_to_output(each, fuse) for each in context.outputs)
    followers = tuple(_add_fuse_to_output(each, fuse) for each in context.fact_outputs)
    ports |= {"outputs": outputs, "fact_outputs": followers}
    return replace(context, concurrency=concurrency, **ports)


def _add_fuse_to_output(output: Any, fuse: Fuse) -> Any:
    """Returns the output with the fuse in what it sends to: `channel`, `files`, `receiver`."""
    names = {"channel", "files", "receiver"}.intersection(output.__struct_fields__)
    ports = {name: _FusedPort(name, getattr(output, name), fuse) for name in names}
    return replace(output, **ports)


def add_fuse_to_inbox(inbox: Inbox, fuse: Fuse) -> Inbox:
    """Returns the ports of the API with the fuse in the snoozes."""
    snoozes: Any = _FusedPort("snoozes", inbox.snoozes, fuse)
    return replace(inbox, snoozes=snoozes)


def list_points(calls: list[str], moments: Sequence[Moment] = CRASHES) -> list[CrashPoint]:
    """Lists every point at which one of these calls can go wrong."""
    return [
        CrashPoint(number, moment)
        for number, name in enumerate(calls, 1)
        for moment in moments
        if moment is not Moment.DURING or name in BATCH_WRITES
    ]
