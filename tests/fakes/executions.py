"""The executions of associations in memory."""

from collections.abc import Iterable
from datetime import datetime

from chalicelib.domain.errors import ServiceError
from chalicelib.domain.scan import Targets, is_running, merge_targets
from chalicelib.usecases.ports import SAME_EXECUTION
from tests.fakes.faults import QueuedErrors


class MemoryExecutions:
    """`Executions`. A test writes them with `put`; `asked` shows which were asked for."""

    def __init__(self) -> None:
        self._executions: dict[tuple[str, datetime], Targets] = {}
        self._errors = QueuedErrors()
        self.asked: list[str] = []

    def put(
        self,
        association_id: str,
        began: datetime,
        targets: Iterable[tuple[str, str]],
        *,
        status: str = "Success",
    ) -> None:
        """Replaces the execution that began then. `targets` are nodes, each with its status."""
        statuses = merge_targets(targets)
        self._executions[association_id, began] = Targets(statuses, is_running(status))

    def fail(self, error: ServiceError, times: int = 1) -> None:
        """Raises this error in the next calls."""
        self._errors.add(error, times)

    def targets(self, association_id: str, began: datetime) -> Targets | None:
        """Returns the targets of the nearest execution."""
        self.asked.append(association_id)
        self._errors.raise_next()
        near = {
            abs(at - began): targets
            for (association, at), targets in self._executions.items()
            if association == association_id and abs(at - began) <= SAME_EXECUTION
        }
        nearest = near[min(near)] if near else None
        return nearest if nearest and nearest.statuses else None
