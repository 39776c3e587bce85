"""The methods for messages: auth.test, chat.postMessage, chat.update, conversations.replies.

Codes as on the reference pages under docs.slack.dev/reference/methods.
"""

from devstack.slack.call import Call
from devstack.slack.channel import BOT_USER_ID
from devstack.slack.check_message import checked_blocks
from devstack.slack.model import Json, Message
from devstack.slack.refusal import RefusedError
from devstack.slack.workspace import Workspace

TEAM = "devstack"
TEAM_ID = "T0DEVSTACK"
BOT_ID = "B0DEVSTACK"
BOT_NAME = "ec2_inspec_scan"


def auth_test(_workspace: Workspace, call: Call) -> Json:
    """auth.test: say whose token it is."""
    return {
        "url": call.host_url,
        "team": TEAM,
        "user": BOT_NAME,
        "team_id": TEAM_ID,
        "user_id": BOT_USER_ID,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def post_message(workspace: Workspace, call: Call) -> Json:
    """chat.postMessage: takes a channel's id or name and answers with its id."""
    channel = workspace.channel_named(call.required("channel"))
    _refuse_attachments(call)
    text = call.text("text") or ""
    blocks = checked_blocks(text, call.arguments.get("blocks"))
    message = channel.post(text, blocks, thread_ts=call.text("thread_ts") or None)
    return {"channel": channel.id, "ts": message.ts, "message": _message(message)}


def update_message(workspace: Workspace, call: Call) -> Json:
    """chat.update: takes the channel's id only; blocks that are not given are kept."""
    channel = workspace.channel_with_id(call.required("channel"))
    _refuse_attachments(call)
    text = call.text("text")
    blocks = checked_blocks(text or "", call.arguments.get("blocks"))
    kept = "blocks" not in call.arguments
    message = channel.edit(call.required("ts"), text, None if kept else blocks)
    answer = {"channel": channel.id, "ts": message.ts, "text": message.text}
    return {**answer, "message": _message(message)}


def list_replies(workspace: Workspace, call: Call) -> Json:
    """conversations.replies: the parent and its replies, all on one page."""
    channel = workspace.channel_with_id(call.required("channel"))
    thread = channel.thread(call.required("ts"))
    return {"messages": [_message(message) for message in thread], "has_more": False}


def _refuse_attachments(call: Call) -> None:
    if call.structure("attachments"):
        raise RefusedError("invalid_attachments", "unsupported here: attachments")


def _message(message: Message) -> Json:
    answer: Json = {
        "type": "message",
        "user": message.user,
        "bot_id": BOT_ID,
        "team": TEAM_ID,
        "ts": message.ts,
        "text": message.text,
    }
    if message.blocks:
        answer["blocks"] = list(message.blocks)
    if message.thread_ts is not None:
        answer["thread_ts"] = message.thread_ts
    if message.files:
        answer["files"] = [{"id": file.id, "name": file.name} for file in message.files]
    return answer
