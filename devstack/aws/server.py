"""The embedded AWS: a real HTTP endpoint on localhost for the life of a `with` block."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from moto.core.base_backend import BackendDict
from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.ssm.responses import SimpleSystemManagerResponse

from devstack.aws.compliance_list import list_compliance_items, list_resource_summaries
from devstack.aws.compliance_put import put_compliance_items
from devstack.aws.compliance_store import ComplianceStore, attach_store
from devstack.serving import serve_wsgi


@dataclass(frozen=True, slots=True)
class AwsServer:
    """A running server; `url` is the endpoint of every service, `http://127.0.0.1:<port>`."""

    url: str

    def reset(self) -> None:
        """Forget all data of all services, as `POST /moto-api/reset` does from outside."""
        BackendDict.reset()


class _QuietHandler(MotoRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep the terminal for the people who look at it."""


@contextmanager
def serve_aws(port: int = 0) -> Iterator[AwsServer]:
    """Serve AWS on `port`, on a free one when it is 0; all data is gone afterwards.

    moto keeps its data per process, so one server at a time.
    Raises OSError when the port is taken.
    """
    register_compliance()
    with serve_wsgi(DomainDispatcherApplication(create_backend_app), port, _QuietHandler) as url:
        aws = AwsServer(url)
        try:
            yield aws
        finally:
            aws.reset()


Action: TypeAlias = Callable[[ComplianceStore, Mapping[str, Any]], dict[str, Any]]

ACTIONS: Mapping[str, Action] = {
    "PutComplianceItems": put_compliance_items,
    "ListComplianceItems": list_compliance_items,
    "ListResourceComplianceSummaries": list_resource_summaries,
}
SERVER_FAULTS = {"InternalServerError": 500, "ServiceUnavailable": 503}


def register_compliance() -> None:
    """Add the actions to moto for the life of the process; doing it again changes nothing."""
    for operation, action in ACTIONS.items():
        method = camelcase_to_underscores(operation)
        setattr(SimpleSystemManagerResponse, method, _method(operation, action))


def _method(
    operation: str, action: Action
) -> Callable[[SimpleSystemManagerResponse], ActionResult | TYPE_RESPONSE]:
    def answer(response: SimpleSystemManagerResponse) -> ActionResult | TYPE_RESPONSE:
        store = attach_store(response.ssm_backend)
        fault = store.next_fault(operation)
        if fault is not None:
            return _refusal(fault)
        return ActionResult(action(store, json.loads(response.body)))

    return answer


def _refusal(code: str) -> TYPE_RESPONSE:
    status = SERVER_FAULTS.get(code, 400)
    body = {"__type": code, "message": "a fault that was asked for"}
    return status, {"status": status}, json.dumps(body)
