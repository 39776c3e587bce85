"""The methods for messages: auth.test, chat.postMessage, chat.update, conversations.replies.

Codes as on the reference pages under docs.slack.dev/reference/methods.
"""

from devstack.slack.call import Call, RefusedError
from devstack.slack.channel import BOT_USER_ID
from devstack.slack.check_message import validate_blocks
from devstack.slack.model import File, Json, Message
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
    blocks = validate_blocks(text, call.arguments.get("blocks"))
    message = channel.post(text, blocks, thread_ts=call.text("thread_ts") or None)
    return {"channel": channel.id, "ts": message.ts, "message": _message(message)}


def update_message(workspace: Workspace, call: Call) -> Json:
    """chat.update: takes the channel's id only; blocks that are not given are kept."""
    channel = workspace.channel_with_id(call.required("channel"))
    _refuse_attachments(call)
    text = call.text("text")
    blocks = validate_blocks(text or "", call.arguments.get("blocks"))
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


def get_upload_url(workspace: Workspace, call: Call) -> Json:
    """files.getUploadURLExternal: an address for `length` bytes; none is missing_argument."""
    name = call.required("filename")
    length = call.required("length")
    if not length.isdecimal():
        raise RefusedError("invalid_arguments", "must be an integer [json-pointer:/length]")
    if int(length) == 0:
        raise RefusedError("missing_argument")
    ticket = workspace.uploads.announce(name, int(length))
    return {"upload_url": f"{call.host_url}upload/v1/{ticket.key}", "file_id": ticket.file_id}


def complete_upload(workspace: Workspace, call: Call) -> Json:
    """files.completeUploadExternal: shares uploaded files in one message.

    Without a channel the files stay private. As with Slack, which shares in the background,
    the answer has the files but not yet their `shares`: ask files.info.
    """
    titles = _titles(call)
    channel_id = call.text("channel_id") or call.text("channels")
    channel = workspace.channel_with_id(channel_id) if channel_id else None
    thread_ts = call.text("thread_ts") or None
    if channel is not None and thread_ts is not None:
        channel.thread(thread_ts)
    comment = call.text("initial_comment") or ""
    blocks = () if comment or not call.text("blocks") else validate_blocks("", call.text("blocks"))
    files = workspace.uploads.complete(titles, call.host_url)
    if channel is not None:
        channel.post(comment, blocks, thread_ts=thread_ts, files=files)
    return {"files": [_file(file) for file in files]}


def file_info(workspace: Workspace, call: Call) -> Json:
    """files.info: a completed file and the messages that share it."""
    file = workspace.uploads.find(call.required("file"))
    channel = workspace.channel
    shares = [
        {"ts": message.ts, "thread_ts": message.thread_ts, "channel_name": channel.name}
        for message in channel.messages
        if file in message.files
    ]
    public = {channel.id: shares} if shares else {}
    return {"file": {**_file(file), "shares": {"public": public}}, "comments": []}


def _titles(call: Call) -> dict[str, str]:
    files = call.structure("files")
    if not isinstance(files, list) or not files:
        raise RefusedError("invalid_arguments", "missing required field: files")
    if not all(isinstance(file, dict) and file.get("id") for file in files):
        raise RefusedError("invalid_arguments", "missing required field: id")
    return {str(file["id"]): str(file.get("title") or "") for file in files}


def _file(file: File) -> Json:
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2],
        "size": file.size,
        "permalink": file.permalink,
        "url_private_download": file.permalink,
        "shares": {},
    }
