"""Teach moto three SSM actions: Put- and ListComplianceItems, ListResourceComplianceSummaries.

moto maps an action to the method of the same snake_case name on its response class, over
HTTP and under `moto.mock_aws()` alike. Requests and answers are the dicts of the wire.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.ssm.responses import SimpleSystemManagerResponse

from devstack.aws.compliance.listing import list_compliance_items, list_resource_summaries
from devstack.aws.compliance.put import put_compliance_items
from devstack.aws.compliance.store import ComplianceStore, store_of

Action: TypeAlias = Callable[[ComplianceStore, Mapping[str, Any]], dict[str, Any]]

ACTIONS: Mapping[str, Action] = {
    "PutComplianceItems": put_compliance_items,
    "ListComplianceItems": list_compliance_items,
    "ListResourceComplianceSummaries": list_resource_summaries,
}
SERVER_FAULTS = {"InternalServerError": 500, "ServiceUnavailable": 503}


def register() -> None:
    """Add the actions to moto for the life of the process; doing it again changes nothing."""
    for operation, action in ACTIONS.items():
        method = camelcase_to_underscores(operation)
        setattr(SimpleSystemManagerResponse, method, _method(operation, action))


def _method(
    operation: str, action: Action
) -> Callable[[SimpleSystemManagerResponse], ActionResult | TYPE_RESPONSE]:
    def answer(response: SimpleSystemManagerResponse) -> ActionResult | TYPE_RESPONSE:
        store = store_of(response.ssm_backend)
        fault = store.next_fault(operation)
        if fault is not None:
            return _refusal(fault)
        return ActionResult(action(store, json.loads(response.body)))

    return answer


def _refusal(code: str) -> TYPE_RESPONSE:
    status = SERVER_FAULTS.get(code, 400)
    body = {"__type": code, "message": "a fault that was asked for"}
    return status, {"status": status}, json.dumps(body)
