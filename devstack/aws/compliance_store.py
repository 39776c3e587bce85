"""The data of SSM in memory: compliance and runs of associations, planned faults, errors."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.ssm.exceptions import SSMException
from moto.ssm.models import SimpleSystemManagerBackend, ssm_backends

from devstack.environment import ACCOUNT, REGION


@dataclass(frozen=True, slots=True)
class Group:
    """All items of one compliance type on one node, and the execution that wrote them.

    `items` and `execution` have the shape of a ListComplianceItems response, with aware
    datetimes, or any other: they are listed as they are.
    """

    instance_id: str
    compliance_type: str
    execution: Mapping[str, Any]
    items: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class AssociationRun:
    """One execution of an association. `targets` have the shape of the service's response."""

    association_id: str
    execution_id: str
    created_at: datetime
    status: str
    targets: tuple[Mapping[str, Any], ...]


class ComplianceStore:
    """Groups by node and type, in the order of their first put, runs, and the planned faults."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], AssociationRun] = {}
        self._groups: dict[tuple[str, str], Group] = {}
        self._changes: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._faults: defaultdict[str, deque[str | None]] = defaultdict(deque)

    def put(self, group: Group) -> None:
        """Store a group, in place of the old group of this node and type."""
        self._groups[group.instance_id, group.compliance_type] = group

    def change_summary(self, instance_id: str, compliance_type: str, **fields: Any) -> None:
        """Replace fields of a summary by any JSON value, as no put can. None leaves a field out.

        Later puts do not end this.
        """
        self._changes[instance_id, compliance_type] = fields

    def apply_changes(self, group: Group, summary: Mapping[str, Any]) -> dict[str, Any]:
        """Return the summary of a group with its planned changes."""
        changed = {**summary, **self._changes.get((group.instance_id, group.compliance_type), {})}
        return {name: value for name, value in changed.items() if value is not None}

    def list_groups(self) -> Iterable[Group]:
        """Return the present groups. Later puts do not change the result."""
        return tuple(self._groups.values())

    def read_items(self, instance_id: str, compliance_type: str) -> tuple[Mapping[str, Any], ...]:
        """Return the items of one node and type, empty if there are none."""
        group = self._groups.get((instance_id, compliance_type))
        return group.items if group else ()

    def forget(self, instance_id: str) -> None:
        """Drop all data of a node, as AWS does some time after its termination."""
        for group in self.list_groups():
            if group.instance_id == instance_id:
                del self._groups[group.instance_id, group.compliance_type]
                self._changes.pop((group.instance_id, group.compliance_type), None)

    def record_run(self, run: AssociationRun) -> None:
        """Store an execution, in place of the one with this id."""
        self._runs[run.association_id, run.execution_id] = run

    def list_runs(self, association_id: str) -> list[AssociationRun]:
        """Return the executions of an association, in the order in which they were recorded."""
        return [run for run in tuple(self._runs.values()) if run.association_id == association_id]

    def fail_next(self, operation: str, code: str, *, times: int = 1, after: int = 0) -> None:
        """Plan the error `code` for `times` calls of `operation`, once `after` calls have passed.

        Each HTTP request counts, and so does each retry of the SDK. Plans queue up.
        """
        self._faults[operation].extend([None] * after + [code] * times)

    def take_fault(self, operation: str) -> str | None:
        """Remove and return the error code that is planned for the present call, if any."""
        try:
            return self._faults[operation].popleft()
        except IndexError:  # a check for an empty queue would race with other request threads
            return None


def attach_store(backend: SimpleSystemManagerBackend) -> ComplianceStore:
    """Return the store of a moto backend. It lives there, so moto's reset clears it too."""
    store: ComplianceStore = vars(backend).setdefault("devstack_compliance", ComplianceStore())
    return store


def find_store() -> ComplianceStore:
    """Return the present store of the local account and region. A reset replaces it."""
    return attach_store(ssm_backends[ACCOUNT][REGION])


def build_validation_error(value: object, path: str, constraint: str) -> SSMException:
    """Return the ValidationException for a `value` at `path`, in the words of the service."""
    return SSMException(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy "
        f"constraint: {constraint}",
    )
