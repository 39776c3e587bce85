"""The Web API methods that the stand-in knows: four for messages, three for files.

The error codes are those of the pages under docs.slack.dev/reference/methods.
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


def show_identity(_workspace: Workspace, call: Call) -> Json:
    """auth.test: return whose token it is."""
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
    """chat.postMessage: accepts the id or name of a channel, returns the id."""
    channel = workspace.find_channel(call.require_text("channel"))
    _refuse_attachments(call)
    text = call.read_text("text") or ""
    blocks = validate_blocks(text, call.arguments.get("blocks"))
    message = channel.post(text, blocks, thread_ts=call.read_text("thread_ts") or None)
    return {"channel": channel.id, "ts": message.ts, "message": _encode_message(message)}


def update_message(workspace: Workspace, call: Call) -> Json:
    """chat.update: accepts only the id of a channel. Without `blocks` the old blocks stay."""
    channel = workspace.find_channel_by_id(call.require_text("channel"))
    _refuse_attachments(call)
    text = call.read_text("text")
    blocks = validate_blocks(text or "", call.arguments.get("blocks"))
    kept = "blocks" not in call.arguments
    message = channel.edit(call.require_text("ts"), text, None if kept else blocks)
    response = {"channel": channel.id, "ts": message.ts, "text": message.text}
    return {**response, "message": _encode_message(message)}


def list_replies(workspace: Workspace, call: Call) -> Json:
    """conversations.replies: return the parent and its replies, all on one page."""
    channel = workspace.find_channel_by_id(call.require_text("channel"))
    thread = channel.read_thread(call.require_text("ts"))
    return {"messages": [_encode_message(message) for message in thread], "has_more": False}


def _refuse_attachments(call: Call) -> None:
    if call.read_structure("attachments"):
        raise RefusedError("invalid_attachments", "the stand-in has no attachments")


def _encode_message(message: Message) -> Json:
    response: Json = {
        "type": "message",
        "user": message.user,
        "bot_id": BOT_ID,
        "team": TEAM_ID,
        "ts": message.ts,
        "text": message.text,
    }
    if message.blocks:
        response["blocks"] = list(message.blocks)
    if message.thread_ts is not None:
        response["thread_ts"] = message.thread_ts
    if message.files:
        response["files"] = [{"id": file.id, "name": file.name} for file in message.files]
    return response


def get_upload_url(workspace: Workspace, call: Call) -> Json:
    """files.getUploadURLExternal: return an upload URL for `length` bytes.

    Slack calls a length of 0 a missing_argument.
    """
    name = call.require_text("filename")
    length = call.require_text("length")
    if not length.isdecimal():
        raise RefusedError("invalid_arguments", "must be an integer [json-pointer:/length]")
    if int(length) == 0:
        raise RefusedError("missing_argument")
    ticket = workspace.uploads.reserve(name, int(length))
    return {"upload_url": f"{call.host_url}upload/v1/{ticket.key}", "file_id": ticket.file_id}


def complete_upload(workspace: Workspace, call: Call) -> Json:
    """files.completeUploadExternal: share uploaded files in one message.

    Without a channel the files stay private. Slack shares in the background, so the response
    has the files without their `shares`. files.info has them.
    """
    titles = _read_titles(call)
    channel_id = call.read_text("channel_id") or call.read_text("channels")
    channel = workspace.find_channel_by_id(channel_id) if channel_id else None
    thread_ts = call.read_text("thread_ts") or None
    if channel is not None:
        channel.check_share(thread_ts)
    comment = call.read_text("initial_comment") or ""
    raw_blocks = None if comment else call.read_text("blocks")
    blocks = validate_blocks("", raw_blocks) if raw_blocks else ()
    files = workspace.uploads.complete(titles, call.host_url)
    if channel is not None:
        channel.post(comment, blocks, thread_ts=thread_ts, files=files)
    return {"files": [_encode_file(file) for file in files]}


def show_file(workspace: Workspace, call: Call) -> Json:
    """files.info: return a completed file and the messages that share it."""
    file = workspace.uploads.find(call.require_text("file"))
    channel = workspace.channel
    shares = [
        {"ts": message.ts, "thread_ts": message.thread_ts, "channel_name": channel.name}
        for message in channel.messages
        if file in message.files
    ]
    public = {channel.id: shares} if shares else {}
    return {"file": {**_encode_file(file), "shares": {"public": public}}, "comments": []}


def _read_titles(call: Call) -> dict[str, str]:
    files = call.read_structure("files")
    if not isinstance(files, list) or not files:
        raise RefusedError("invalid_arguments", "missing required field: files")
    if not all(isinstance(file, dict) and file.get("id") for file in files):
        raise RefusedError("invalid_arguments", "missing required field: id")
    return {str(file["id"]): str(file.get("title") or "") for file in files}


def _encode_file(file: File) -> Json:
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
