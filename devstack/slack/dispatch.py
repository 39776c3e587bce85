"""From a call to its answer: faults first, then the token, then the method."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from devstack.slack.call import Call, RefusedError
from devstack.slack.faults import Fault, FaultKind, Faults
from devstack.slack.methods import (
    auth_test,
    complete_upload,
    file_info,
    get_upload_url,
    list_replies,
    post_message,
    update_message,
)
from devstack.slack.model import Json
from devstack.slack.workspace import Workspace

METHODS: dict[str, Callable[[Workspace, Call], Json]] = {
    "auth.test": auth_test,
    "chat.postMessage": post_message,
    "chat.update": update_message,
    "conversations.replies": list_replies,
    "files.getUploadURLExternal": get_upload_url,
    "files.completeUploadExternal": complete_upload,
    "files.info": file_info,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, or a connection that drops in place of one."""

    body: str
    status: int = 200
    content_type: str = "application/json; charset=utf-8"
    retry_after: int | None = None
    dropped: bool = False


def answer_call(
    workspace: Workspace, faults: Faults, method: str, read: Callable[[], Call]
) -> Answer:
    """Answer a call to a method, known or not; `read` may raise `RefusedError`."""
    workspace.record(method)
    return answer_with_faults(faults, method, lambda: _json(_execute(workspace, read)))


def answer_with_faults(faults: Faults, name: str, work: Callable[[], Answer]) -> Answer:
    """Do the work unless a fault stops it; where the answer gets lost, the work is done."""
    fault = faults.take(name)
    if fault is None:
        return work()
    if fault.kind is FaultKind.RESPONSE_LOST:
        work()
        if fault.status is None:
            return Answer("", dropped=True)
    return _faulty(fault)


def _execute(workspace: Workspace, read: Callable[[], Call]) -> Json:
    try:
        call = read()
        workspace.check_token(call.token)
        method = METHODS.get(call.method, _unknown)
        return {"ok": True, **method(workspace, call)}
    except RefusedError as refusal:
        return refusal.body()


def _unknown(_workspace: Workspace, _call: Call) -> Json:
    raise RefusedError("unknown_method")


def _faulty(fault: Fault) -> Answer:
    if fault.kind is FaultKind.RATE_LIMITED:
        limited = _json({"ok": False, "error": "ratelimited"})
        return Answer(limited.body, 429, retry_after=fault.retry_after)
    if fault.kind is FaultKind.REFUSED:
        scopes = {"needed": fault.needed, "provided": fault.provided}
        given = {name: value for name, value in scopes.items() if value is not None}
        return _json({"ok": False, "error": fault.error, **given})
    return Answer("upstream failure", fault.status or 500, "text/plain; charset=utf-8")


def _json(body: Json) -> Answer:
    return Answer(json.dumps(body))
