"""HTTP control for other processes: read the messages, order faults, begin anew."""

from dataclasses import dataclass

import msgspec
from flask import Blueprint, Response, jsonify, request

from devstack.slack.faults import Fault, Faults
from devstack.slack.model import messages_to_json
from devstack.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """The JSON of an order, such as `{"method": "*", "fault": {"kind": "rate_limited"}}`."""

    method: str
    fault: Fault
    times: int = 1


def control(workspace: Workspace, faults: Faults) -> Blueprint:
    """Build the routes under `/_devstack`."""
    routes = Blueprint("control", __name__, url_prefix="/_devstack")

    @routes.get("/messages")
    def messages() -> Response:
        channel = {"id": workspace.channel.id, "name": workspace.channel.name}
        listed = messages_to_json(workspace.channel.messages())
        return jsonify({"channel": channel, "messages": listed})

    @routes.post("/faults")
    def order_fault() -> Response:
        try:
            order = msgspec.json.decode(request.get_data(), type=FaultOrder)
        except msgspec.MsgspecError as error:
            return Response(f"{error}\n", 400, content_type="text/plain; charset=utf-8")
        faults.add(order.method, order.fault, order.times)
        return Response(status=204)

    @routes.post("/reset")
    def reset() -> Response:
        workspace.clear()
        faults.clear()
        return Response(status=204)

    return routes
