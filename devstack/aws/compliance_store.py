"""What SSM remembers of compliance, one store for each account and region, and its faults."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.ssm.exceptions import SSMException
from moto.ssm.models import SimpleSystemManagerBackend, ssm_backends

from devstack.aws.session import ACCOUNT, REGION


@dataclass(frozen=True, slots=True)
class Group:
    """All items of one compliance type on one node, and the execution that wrote them last.

    `items` and `execution` are shaped as ListComplianceItems answers them, with times as
    aware datetimes.
    """

    instance_id: str
    compliance_type: str
    execution: Mapping[str, Any]
    items: tuple[Mapping[str, Any], ...]


class ComplianceStore:
    """Groups by (node, type) in the order of their first put, and faults by operation."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], Group] = {}
        self._faults: defaultdict[str, deque[str | None]] = defaultdict(deque)

    def put(self, group: Group) -> None:
        """Replace what was known of this node and type."""
        self._groups[group.instance_id, group.compliance_type] = group

    def list_groups(self) -> Iterable[Group]:
        """Return the groups as they are now; later puts do not show in the answer."""
        return tuple(self._groups.values())

    def items_of(self, instance_id: str, compliance_type: str) -> tuple[Mapping[str, Any], ...]:
        """Return the items of one group, none when there is no such group."""
        group = self._groups.get((instance_id, compliance_type))
        return group.items if group else ()

    def forget(self, instance_id: str) -> None:
        """Drop all data of a node, as AWS does some time after it was terminated."""
        for group in self.list_groups():
            if group.instance_id == instance_id:
                del self._groups[group.instance_id, group.compliance_type]

    def fail_next(self, operation: str, code: str, *, times: int = 1, after: int = 0) -> None:
        """Refuse calls of `operation` with the error `code`: let `after` pass, fail `times`.

        Each HTTP request counts, retries of the SDK too. Several orders form one queue.
        """
        self._faults[operation].extend([None] * after + [code] * times)

    def next_fault(self, operation: str) -> str | None:
        """Take the error code for the present call of `operation` off the queue, if any."""
        try:
            return self._faults[operation].popleft()
        except IndexError:  # asking first would race with the other request threads
            return None


def attach_store(backend: SimpleSystemManagerBackend) -> ComplianceStore:
    """Return the store that lives on moto's backend, so that moto's reset clears it too."""
    store: ComplianceStore = vars(backend).setdefault("devstack_compliance", ComplianceStore())
    return store


def find_store(account: str = ACCOUNT, region: str = REGION) -> ComplianceStore:
    """Return the present store of an account and region; ask again after a reset."""
    return attach_store(ssm_backends[account][region])


def refused(code: str, message: str) -> SSMException:
    """Return the error that the service model names `code`."""
    return SSMException(code, message)


def broken(value: object, path: str, constraint: str) -> SSMException:
    """Return the ValidationException for a `value` at `path` that breaks `constraint`."""
    return refused(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy "
        f"constraint: {constraint}",
    )
