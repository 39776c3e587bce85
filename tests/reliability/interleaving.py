"""Runs programs at the same time, one call of a port after the other, in a given order."""

from collections.abc import Callable, Sequence
from threading import Semaphore, Thread


class Program:
    """A program in a thread of its own, which waits for its turn before each of its calls."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._may_call = Semaphore(0)
        self._waits = Semaphore(0)
        self._thread = Thread(target=self._run, daemon=True)
        self.ended = False
        self.failure: BaseException | None = None

    def wait_for_turn(self) -> None:
        """Waits until the program may call. The program calls this itself."""
        self._waits.release()
        self._may_call.acquire()

    def start(self) -> None:
        """Runs the program to its first call."""
        self._thread.start()
        self._waits.acquire()

    def step(self) -> None:
        """Lets the program call once, and runs it to its next call or to its end."""
        self._may_call.release()
        self._waits.acquire()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised by `interleave`
            self.failure = error
        self.ended = True
        self._waits.release()


def interleave(programs: Sequence[Program], schedule: Sequence[int]) -> None:
    """Runs the programs to their ends. Each number of the schedule chooses the next to call.

    After the schedule, the programs take turns.
    """
    for program in programs:
        program.start()
    turns = iter(schedule)
    number = 0
    while running := [each for each in programs if not each.ended]:
        number = next(turns, number + 1)
        running[number % len(running)].step()
    for program in programs:
        if program.failure:
            raise program.failure
