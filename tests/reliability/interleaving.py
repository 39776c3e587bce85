"""Programs that run at the same time, one call of a port after the other, as a schedule says."""

from collections.abc import Callable, Sequence
from threading import Semaphore, Thread


class Program:
    """Runs in a thread of its own, and stands still before each of its calls until it may go on."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._may_go = Semaphore(0)
        self._stands = Semaphore(0)
        self._thread = Thread(target=self._run, daemon=True)
        self.ended = False
        self.failure: BaseException | None = None

    def turn(self) -> None:
        """Called by the program before each call: wait until it is its turn."""
        self._stands.release()
        self._may_go.acquire()

    def start(self) -> None:
        """Run to the first call."""
        self._thread.start()
        self._stands.acquire()

    def step(self) -> None:
        """Make one call, and run to the next or to the end."""
        self._may_go.release()
        self._stands.acquire()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where the programs were started
            self.failure = error
        self.ended = True
        self._stands.release()


def interleave(programs: Sequence[Program], schedule: Sequence[int]) -> None:
    """Run the programs to their ends; each number of the schedule chooses who makes a call.

    When the schedule is used up, they go on in turn.
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
