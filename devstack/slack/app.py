"""The HTTP routes: the Web API, the upload URLs, and the control of the stand-in."""

import socket
from dataclasses import dataclass

import msgspec
from flask import Blueprint, Flask, Request, Response, jsonify, request

from devstack.slack.call import Call, RefusedError, parse_json
from devstack.slack.dispatch import HttpResponse, apply_faults, handle_call
from devstack.slack.faults import UPLOAD, Fault, Faults
from devstack.slack.model import Json, encode_messages
from devstack.slack.page import create_page
from devstack.slack.uploads import UploadError
from devstack.slack.workspace import Workspace

# The scopes of the installed app. Slack names them in every response.
SCOPES = "chat:write,files:write"
PLAIN_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """A planned fault as JSON, for example `{"method": "*", "fault": {"kind": "rate_limited"}}`."""

    method: str
    fault: Fault
    times: int = 1


def create_app(workspace: Workspace, faults: Faults) -> Flask:
    """Build the WSGI application of a workspace."""
    app = Flask(__name__)
    app.register_blueprint(create_page(workspace))
    app.register_blueprint(create_control(workspace, faults))

    @app.route("/api/<method>", methods=["GET", "POST"])
    def call_method(method: str) -> Response:
        response = handle_call(workspace, faults, method, lambda: read_call(request, method))
        return _to_flask(response)

    @app.post("/upload/v1/<key>")
    def receive_upload(key: str) -> Response:
        content = _read_upload(request)

        def receive() -> HttpResponse:
            try:
                size = workspace.uploads.receive(key, content)
            except UploadError as error:
                return HttpResponse(str(error), 400, PLAIN_TEXT)
            return HttpResponse(f"OK - {size}", 200, PLAIN_TEXT)

        return _to_flask(apply_faults(faults, UPLOAD, receive))

    return app


def create_control(workspace: Workspace, faults: Faults) -> Blueprint:
    """Build the routes under `/_devstack`, by which other processes control the stand-in."""
    routes = Blueprint("control", __name__, url_prefix="/_devstack")

    @routes.get("/messages")
    def list_messages() -> Response:
        channel = {"id": workspace.channel.id, "name": workspace.channel.name}
        messages = encode_messages(workspace.channel.messages)
        return jsonify({"channel": channel, "messages": messages})

    @routes.post("/faults")
    def plan_fault() -> Response:
        try:
            plan = msgspec.json.decode(request.get_data(), type=FaultPlan)
        except msgspec.MsgspecError as error:
            return Response(f"{error}\n", 400, content_type=PLAIN_TEXT)
        faults.add(plan.method, plan.fault, plan.times)
        return Response(status=204)

    @routes.post("/reset")
    def reset() -> Response:
        workspace.clear()
        faults.clear()
        return Response(status=204)

    return routes


def read_call(incoming: Request, method: str) -> Call:
    """Read the arguments of a call from a form, a query or a JSON object.

    The token comes from the Authorization header or from a form. Slack ignores a token in
    JSON. Raises `RefusedError` (invalid_json, json_not_object).
    """
    form = incoming.values.to_dict()
    arguments = _read_json_object(incoming) if incoming.is_json else form
    scheme, _, bearer = incoming.headers.get("Authorization", "").partition(" ")
    token = bearer if scheme.lower() == "bearer" else form.get("token")
    return Call(method, token, arguments, incoming.host_url)


def _read_json_object(incoming: Request) -> Json:
    try:
        # slack_sdk sends a call without arguments as JSON with an empty body
        value = parse_json(incoming.get_data() or b"{}")
    except ValueError as error:
        raise RefusedError("invalid_json") from error
    if not isinstance(value, dict):
        raise RefusedError("json_not_object")
    return value


def _read_upload(incoming: Request) -> bytes:
    if incoming.mimetype == "multipart/form-data":
        part = next(iter(incoming.files.values()), None)
        return part.read() if part else b""
    # slack_sdk sends the bare bytes, and its urllib labels them as a form
    return incoming.get_data(parse_form_data=False)


def _to_flask(response: HttpResponse) -> Response:
    if response.dropped:
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    converted = Response(response.body, response.status, content_type=response.content_type)
    converted.headers["X-OAuth-Scopes"] = SCOPES
    if response.retry_after is not None:
        converted.headers["Retry-After"] = str(response.retry_after)
    return converted
