"""AWS as an HTTP server: moto, and the SSM actions that moto lacks.

The actions are PutComplianceItems, ListComplianceItems, ListResourceComplianceSummaries,
DescribeAssociationExecutions and DescribeAssociationExecutionTargets.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import uuid4

from moto.core.base_backend import BackendDict
from moto.core.common_types import TYPE_RESPONSE
from moto.core.utils import camelcase_to_underscores
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.ssm.responses import SimpleSystemManagerResponse

from devstack.aws.association_list import (
    describe_association_execution_targets,
    describe_association_executions,
)
from devstack.aws.compliance_list import list_compliance_items, list_resource_summaries
from devstack.aws.compliance_put import RESOURCE_TYPE, put_compliance_items
from devstack.aws.compliance_store import (
    AssociationRun,
    ComplianceStore,
    attach_store,
    find_store,
)
from devstack.serving import serve_wsgi

Action: TypeAlias = Callable[[ComplianceStore, Mapping[str, Any]], dict[str, Any]]

ACTIONS: Mapping[str, Action] = {
    "PutComplianceItems": put_compliance_items,
    "ListComplianceItems": list_compliance_items,
    "ListResourceComplianceSummaries": list_resource_summaries,
    "DescribeAssociationExecutions": describe_association_executions,
    "DescribeAssociationExecutionTargets": describe_association_execution_targets,
}
SERVER_FAULTS = {"InternalServerError": 500, "ServiceUnavailable": 503}


@dataclass(frozen=True, slots=True)
class AwsServer:
    """A running server. `url` is the endpoint of every service, `http://127.0.0.1:<port>`."""

    url: str

    def reset(self) -> None:
        """Forget all data of all services, like `POST /moto-api/reset`."""
        BackendDict.reset()

    def run_association(
        self,
        association_id: str,
        created_at: datetime,
        statuses: Mapping[str, str],
        status: str = "Success",
    ) -> None:
        """Record an execution. `statuses` maps its targets to their status."""
        targets = tuple(
            {
                "ResourceId": node,
                "ResourceType": RESOURCE_TYPE,
                "Status": each,
                "DetailedStatus": each,
            }
            for node, each in statuses.items()
        )
        run = AssociationRun(association_id, str(uuid4()), created_at, status, targets)
        find_store().record_run(run)


class _SilentHandler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print no request: the terminal belongs to the commands."""


@contextmanager
def serve_aws(port: int = 0) -> Iterator[AwsServer]:
    """Serve AWS on `port`, or on a free port if it is 0. Its data begins and ends with the block.

    moto keeps one set of data per process, so run one server at a time: a new server clears the
    data of one that still runs. Raises OSError if the port is taken.
    """
    register_compliance()
    with serve_wsgi(DomainDispatcherApplication(create_backend_app), port, _SilentHandler) as url:
        aws = AwsServer(url)
        aws.reset()
        try:
            yield aws
        finally:
            aws.reset()


def register_compliance() -> None:
    """Add the actions to moto for the rest of the process. A second call changes nothing.

    moto calls the method of its response class that has the action's name in snake case, both
    over HTTP and in `moto.mock_aws()`.
    """
    for operation, action in ACTIONS.items():
        method = camelcase_to_underscores(operation)
        setattr(SimpleSystemManagerResponse, method, _build_method(operation, action))


def _build_method(
    operation: str, action: Action
) -> Callable[[SimpleSystemManagerResponse], TYPE_RESPONSE]:
    def respond(response: SimpleSystemManagerResponse) -> TYPE_RESPONSE:
        store = attach_store(response.ssm_backend)
        fault = store.take_fault(operation)
        if fault is not None:
            return _build_fault(fault)
        # not moto's serializer: it refuses what a node should not have been able to write
        body = json.dumps(action(store, json.loads(response.body)), default=_to_seconds)
        return 200, {"status": 200}, body

    return respond


def _to_seconds(moment: datetime) -> float:
    """Return a time as the service's protocol has it: seconds since 1970."""
    return moment.timestamp()


def _build_fault(code: str) -> TYPE_RESPONSE:
    status = SERVER_FAULTS.get(code, 400)
    body = {"__type": code, "message": "a planned fault"}
    return status, {"status": status}, json.dumps(body)
