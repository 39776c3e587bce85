"""Handles one call: planned faults first, then the token, then the method."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from devstack.slack.call import Call, RefusedError
from devstack.slack.faults import Fault, FaultKind, Faults
from devstack.slack.methods import (
    complete_upload,
    get_upload_url,
    list_replies,
    post_message,
    show_file,
    show_identity,
    update_message,
)
from devstack.slack.model import Json
from devstack.slack.workspace import Workspace

METHODS: dict[str, Callable[[Workspace, Call], Json]] = {
    "auth.test": show_identity,
    "chat.postMessage": post_message,
    "chat.update": update_message,
    "conversations.replies": list_replies,
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": show_file,
}


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response, or a dropped connection if `dropped`. `retry_after` is in seconds."""

    body: str
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    retry_after: int | None = None
    dropped: bool = False


def handle_call(
    workspace: Workspace, faults: Faults, method: str, read: Callable[[], Call]
) -> HttpResponse:
    """Handle a call of any method, even an unknown one. `read` may raise `RefusedError`."""
    workspace.record_call(method)
    return apply_faults(faults, method, lambda: _encode(_call_method(workspace, read)))


def apply_faults(faults: Faults, name: str, work: Callable[[], HttpResponse]) -> HttpResponse:
    """Run `work`, or fail as planned. If only the response is lost, `work` still runs."""
    fault = faults.take(name)
    if fault is None:
        return work()
    if fault.kind is FaultKind.RESPONSE_LOST:
        work()
        if fault.status is None:
            return HttpResponse("", dropped=True)
    return _build_failure(fault)


def _call_method(workspace: Workspace, read: Callable[[], Call]) -> Json:
    try:
        call = read()
        workspace.check_token(call.token)
        method = METHODS.get(call.method, _refuse_unknown_method)
        return {"ok": True, **method(workspace, call)}
    except RefusedError as refusal:
        return refusal.to_json()


def _refuse_unknown_method(_workspace: Workspace, _call: Call) -> Json:
    raise RefusedError("unknown_method")


def _build_failure(fault: Fault) -> HttpResponse:
    if fault.kind is FaultKind.RATE_LIMITED:
        limited = _encode({"ok": False, "error": "ratelimited"})
        return HttpResponse(limited.body, 429, retry_after=fault.retry_after)
    if fault.kind is FaultKind.REFUSED:
        scopes = {"needed": fault.needed, "provided": fault.provided}
        given = {name: value for name, value in scopes.items() if value is not None}
        return _encode({"ok": False, "error": fault.error, **given})
    return HttpResponse("upstream failure", fault.status or 500, "text/plain; charset=utf-8")


def _encode(response: Json) -> HttpResponse:
    return HttpResponse(json.dumps(response))
