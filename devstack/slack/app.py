"""The HTTP side: the Web API, the upload URL, and the blueprints of page and control."""

import socket
from dataclasses import dataclass

import msgspec
from flask import Blueprint, Flask, Request, Response, jsonify, request

from devstack.slack.call import Call, RefusedError, read_json
from devstack.slack.dispatch import Answer, answer_call, answer_with_faults
from devstack.slack.faults import UPLOAD, Fault, Faults
from devstack.slack.model import Json, encode_messages
from devstack.slack.page import create_page
from devstack.slack.uploads import UploadError
from devstack.slack.workspace import Workspace

# The scopes that the app is installed with, which Slack names in every answer
SCOPES = "chat:write,files:write"


def create_app(workspace: Workspace, faults: Faults) -> Flask:
    """Build the WSGI application around a workspace."""
    app = Flask(__name__)
    app.register_blueprint(create_page(workspace))
    app.register_blueprint(create_control(workspace, faults))

    @app.route("/api/<method>", methods=["GET", "POST"])
    def api(method: str) -> Response:
        answer = answer_call(workspace, faults, method, lambda: read_call(request, method))
        return _response(answer)

    @app.post("/upload/v1/<key>")
    def upload(key: str) -> Response:
        content = _uploaded(request)

        def receive() -> Answer:
            plain = "text/plain; charset=utf-8"
            try:
                return Answer(f"OK - {workspace.uploads.receive(key, content)}", 200, plain)
            except UploadError as error:
                return Answer(str(error), 400, plain)

        return _response(answer_with_faults(faults, UPLOAD, receive))

    return app


def read_call(incoming: Request, method: str) -> Call:
    """Read a call's arguments from a form, a query or a JSON object.

    The token comes from the Authorization header or a form; Slack does not look for it in
    JSON. Raises `RefusedError`: invalid_json, json_not_object.
    """
    form = incoming.values.to_dict()
    arguments = _json_object(incoming) if incoming.is_json else form
    scheme, _, bearer = incoming.headers.get("Authorization", "").partition(" ")
    token = bearer if scheme.lower() == "bearer" else form.get("token")
    return Call(method, token, arguments, incoming.host_url)


def _json_object(incoming: Request) -> Json:
    try:
        # slack_sdk sends a call without arguments as JSON without a body
        body = read_json(incoming.get_data() or b"{}")
    except ValueError as error:
        raise RefusedError("invalid_json") from error
    if not isinstance(body, dict):
        raise RefusedError("json_not_object")
    return body


def _uploaded(incoming: Request) -> bytes:
    if incoming.mimetype == "multipart/form-data":
        part = next(iter(incoming.files.values()), None)
        return part.read() if part else b""
    # slack_sdk sends the bare bytes and, through urllib, calls them a form
    return incoming.get_data(parse_form_data=False)


def _response(answer: Answer) -> Response:
    if answer.dropped:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    response.headers["X-OAuth-Scopes"] = SCOPES
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(answer.retry_after)
    return response


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """The JSON of an order, such as `{"method": "*", "fault": {"kind": "rate_limited"}}`."""

    method: str
    fault: Fault
    times: int = 1


def create_control(workspace: Workspace, faults: Faults) -> Blueprint:
    """Build the routes under `/_devstack`."""
    routes = Blueprint("control", __name__, url_prefix="/_devstack")

    @routes.get("/messages")
    def messages() -> Response:
        channel = {"id": workspace.channel.id, "name": workspace.channel.name}
        listed = encode_messages(workspace.channel.messages)
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
