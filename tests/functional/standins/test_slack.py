"""The Slack stand-in, called with slack_sdk's WebClient, as the service calls Slack."""

import json
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator

from devstack.slack import Fault, SlackStandIn, serve_slack
from devstack.slack.call import RefusedError
from devstack.slack.model import decode_messages

pytestmark = pytest.mark.enable_socket

CHANNEL = "C0DEVSTACK"
CSV = b'\xef\xbb\xbf"title"\r\n"Ensure auditd is installed"\r\n'


@pytest.fixture(scope="module")
def server() -> Iterator[SlackStandIn]:
    with serve_slack() as slack:
        yield slack


@pytest.fixture
def slack(server: SlackStandIn) -> SlackStandIn:
    server.reset()
    return server


@pytest.fixture
def client(slack: SlackStandIn) -> WebClient:
    return WebClient("xoxb-devstack", base_url=slack.base_url, retry_handlers=[])


def read_refusal(call: Callable[[], object]) -> dict[str, Any]:
    """Return the JSON of a refused call."""
    with pytest.raises(SlackApiError) as caught:
        call()
    refusal = caught.value.response.data
    assert isinstance(refusal, dict)
    return refusal


def post_text(client: WebClient, text: str = "hello", **arguments: Any) -> str:
    return str(client.chat_postMessage(channel=CHANNEL, text=text, **arguments)["ts"])


def upload(client: WebClient, channel: str | None = CHANNEL, thread_ts: str | None = None) -> Any:
    return client.files_upload_v2(
        channel=channel, filename="new.csv", title="New", content=CSV, thread_ts=thread_ts
    )


def send(url: str, body: bytes | None = None, content_type: str = "application/json") -> str:
    """Call the stand-in as another process does: GET, or POST with a body."""
    request = Request(url, data=body, headers={"Content-Type": content_type})  # noqa: S310 - ours
    with urlopen(request) as response:  # noqa: S310 - ours
        return str(response.read().decode())


# Messages


def test_auth_test_returns_the_owner_of_the_token_and_its_scopes(
    client: WebClient, slack: SlackStandIn
) -> None:
    response = client.auth_test()
    assert response["url"] == slack.page_url
    assert response["user_id"] == "U0DEVSTACK"
    assert response.headers["X-OAuth-Scopes"] == "chat:write,files:write"


def test_a_posted_message_is_in_the_channel_unchanged(
    client: WebClient, slack: SlackStandIn
) -> None:
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": "3 new findings"}}]
    response = client.chat_postMessage(channel=CHANNEL, text="3 new", blocks=blocks)
    (message,) = slack.messages
    assert response["ts"] == message.ts
    assert response["channel"] == message.channel == CHANNEL
    assert response["message"]["blocks"] == list(message.blocks) == blocks
    assert (message.text, message.thread_ts, message.files) == ("3 new", None, ())


def test_a_form_carries_blocks_as_json(client: WebClient, slack: SlackStandIn) -> None:
    form = {"channel": CHANNEL, "blocks": '[{"type": "divider"}]'}
    client.api_call("chat.postMessage", params=form)
    assert slack.messages[0].blocks == ({"type": "divider"},)


def test_a_post_to_a_channel_name_returns_the_channel_id(client: WebClient) -> None:
    response = client.chat_postMessage(channel="#security-inbox", text="hello")
    assert response["channel"] == CHANNEL


def test_message_ids_rise_even_if_the_clock_stands_still() -> None:
    with serve_slack(clock=lambda: 1700000000.0) as slack:
        client = WebClient("xoxb-devstack", base_url=slack.base_url)
        posted = [post_text(client) for _ in range(3)]
    assert posted == ["1700000000.000000", "1700000000.000100", "1700000000.000200"]


def test_a_thread_has_its_parent_and_its_replies(client: WebClient, slack: SlackStandIn) -> None:
    parent = post_text(client)
    reply = post_text(client, "there", thread_ts=parent)
    assert [message.thread_ts for message in slack.messages] == [None, parent]
    file_id = upload(client, thread_ts=parent)["file"]["id"]
    post_text(client, "elsewhere")
    first, second, third = client.conversations_replies(channel=CHANNEL, ts=parent)["messages"]
    assert [first["ts"], second["ts"]] == [parent, reply]
    assert third["files"] == [{"id": file_id, "name": "new.csv"}]


def test_an_update_without_blocks_keeps_the_old_blocks(
    client: WebClient, slack: SlackStandIn
) -> None:
    ts = post_text(client, blocks=[{"type": "divider"}])
    client.chat_update(channel=CHANNEL, ts=ts, text="changed")
    (message,) = slack.messages
    assert (message.text, message.edited) == ("changed", True)
    assert message.blocks == ({"type": "divider"},)


def test_an_update_with_an_empty_list_removes_the_blocks(
    client: WebClient, slack: SlackStandIn
) -> None:
    ts = post_text(client, blocks=[{"type": "divider"}])
    client.chat_update(channel=CHANNEL, ts=ts, text="changed", blocks=[])
    assert slack.messages[0].blocks == ()


# Files


def test_an_uploaded_file_is_a_reply_with_its_bytes(client: WebClient, slack: SlackStandIn) -> None:
    parent = post_text(client)
    upload(client, thread_ts=parent)
    message = slack.messages[1]
    (file,) = message.files
    assert message.thread_ts == parent
    assert (file.name, file.title, file.content) == ("new.csv", "New", CSV)
    assert (file.size, file.mimetype) == (len(CSV), "text/csv")
    assert slack.calls[1:] == ("files.getUploadURLExternal", "files.completeUploadExternal")


def test_only_files_info_has_the_shares_of_a_file(client: WebClient) -> None:
    response = upload(client)
    assert response["file"]["shares"] == {}
    info = client.files_info(file=response["file"]["id"])["file"]
    assert [share["channel_name"] for share in info["shares"]["public"][CHANNEL]] == [
        "security-inbox"
    ]


def test_a_file_without_a_channel_stays_private(client: WebClient, slack: SlackStandIn) -> None:
    response = upload(client, channel=None)
    assert slack.messages == ()
    assert client.files_info(file=response["file"]["id"])["file"]["shares"]["public"] == {}


def test_a_multipart_form_carries_the_bytes_of_a_file(
    client: WebClient, slack: SlackStandIn
) -> None:
    ticket = client.files_getUploadURLExternal(filename="new.csv", length=3)
    form = b'--x\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\nabc\r\n--x--\r\n'
    assert send(ticket["upload_url"], form, "multipart/form-data; boundary=x") == "OK - 3"
    client.files_completeUploadExternal(files=[{"id": ticket["file_id"]}], channel_id=CHANNEL)
    assert slack.messages[0].files[0].content == b"abc"


@pytest.mark.parametrize("content", [b"ab", b"abcd"])
def test_the_upload_url_accepts_only_the_reserved_length(client: WebClient, content: bytes) -> None:
    ticket = client.files_getUploadURLExternal(filename="new.csv", length=3)
    with pytest.raises(HTTPError, match="400") as caught:
        send(ticket["upload_url"], content)
    caught.value.close()
    files: list[dict[str, str | None]] = [{"id": ticket["file_id"]}]
    response = read_refusal(
        lambda: client.files_completeUploadExternal(files=files, channel_id=CHANNEL)
    )
    assert response["error"] == "file_not_found"


def test_a_guessed_upload_url_is_refused(slack: SlackStandIn) -> None:
    with pytest.raises(HTTPError, match="400") as caught:
        send(f"{slack.page_url}upload/v1/guessed", b"abc")
    caught.value.close()


def test_a_file_can_be_completed_only_once(client: WebClient) -> None:
    ticket = client.files_getUploadURLExternal(filename="new.csv", length=3)
    files: list[dict[str, str | None]] = [{"id": ticket["file_id"]}]
    send(ticket["upload_url"], b"abc")
    client.files_completeUploadExternal(files=files)
    with pytest.raises(HTTPError, match="400") as caught:
        send(ticket["upload_url"], b"abc")
    caught.value.close()
    response = read_refusal(lambda: client.files_completeUploadExternal(files=files))
    assert response["error"] == "file_not_found"


def test_a_file_upload_needs_the_channel_id_not_its_name(
    client: WebClient, slack: SlackStandIn
) -> None:
    response = read_refusal(lambda: upload(client, channel="security-inbox"))
    assert response["error"] == "channel_not_found"
    assert slack.messages == ()


# Refusals


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat.postMessage", {"channel": "C0UNKNOWN0", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "#unknown", "text": "x"}, "channel_not_found"),
        ("chat.postMessage", {"channel": "C0NOTINVITED", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"channel": "#general", "text": "x"}, "not_in_channel"),
        ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
        ("chat.postMessage", {"channel": CHANNEL}, "no_text"),
        ("chat.postMessage", {"channel": CHANNEL, "text": " ", "blocks": []}, "no_text"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "x" * 40_001}, "msg_too_long"),
        ("chat.postMessage", {"channel": CHANNEL, "blocks": "[{"}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": CHANNEL, "blocks": {}}, "invalid_blocks_format"),
        ("chat.postMessage", {"channel": CHANNEL, "text": "\ud800"}, "invalid_json"),
        (
            "chat.postMessage",
            {"channel": CHANNEL, "text": "x", "attachments": [{"text": "y"}]},
            "invalid_attachments",
        ),
        (
            "chat.postMessage",
            {"channel": CHANNEL, "text": "x", "thread_ts": "1.000000"},
            "thread_not_found",
        ),
        ("chat.update", {"channel": CHANNEL, "ts": "1.0", "text": "x"}, "message_not_found"),
        ("chat.update", {"channel": "#security-inbox", "ts": "1.0"}, "channel_not_found"),
        ("conversations.replies", {"channel": CHANNEL, "ts": "1.0"}, "thread_not_found"),
        ("files.getUploadURLExternal", {"length": 3}, "invalid_arguments"),
        ("files.getUploadURLExternal", {"filename": "", "length": 3}, "invalid_arguments"),
        ("files.getUploadURLExternal", {"filename": "a", "length": "x"}, "invalid_arguments"),
        ("files.getUploadURLExternal", {"filename": "a", "length": 0}, "missing_argument"),
        ("files.completeUploadExternal", {}, "invalid_arguments"),
        ("files.completeUploadExternal", {"files": "[{"}, "invalid_arguments"),
        ("files.completeUploadExternal", {"files": [{"title": "x"}]}, "invalid_arguments"),
        ("files.completeUploadExternal", {"files": [{"id": "F0"}]}, "file_not_found"),
        (
            "files.completeUploadExternal",
            {"files": [{"id": "F0"}], "channel_id": CHANNEL, "thread_ts": "1.0"},
            "thread_not_found",
        ),
        ("files.info", {"file": "F0"}, "file_not_found"),
        ("chat.unheardOf", {}, "unknown_method"),
    ],
)
def test_an_invalid_call_gets_slacks_error_code(
    client: WebClient,
    slack: SlackStandIn,
    method: str,
    arguments: dict[str, Any],
    error: str,
) -> None:
    response = read_refusal(lambda: client.api_call(method, json=arguments or {"any": "thing"}))
    assert response["error"] == error
    assert slack.messages == ()
    assert slack.calls == (method,)


def test_a_text_of_40000_characters_is_accepted(client: WebClient, slack: SlackStandIn) -> None:
    post_text(client, "x" * 40_000)
    assert len(slack.messages[0].text) == 40_000


def test_a_reply_cannot_be_a_parent(client: WebClient) -> None:
    reply = post_text(client, thread_ts=post_text(client))
    assert read_refusal(lambda: post_text(client, thread_ts=reply))["error"] == "thread_not_found"


@pytest.mark.parametrize(("token", "error"), [(None, "not_authed"), ("xoxb-other", "invalid_auth")])
def test_a_call_without_the_right_token_is_refused(
    slack: SlackStandIn, token: str | None, error: str
) -> None:
    stranger = WebClient(token, base_url=slack.base_url)
    assert read_refusal(stranger.auth_test)["error"] == error


def test_a_token_is_read_from_a_form_but_not_from_json(slack: SlackStandIn) -> None:
    body = {"token": "xoxb-devstack"}
    in_form = send(
        f"{slack.base_url}auth.test", b"token=xoxb-devstack", "application/x-www-form-urlencoded"
    )
    in_json = send(f"{slack.base_url}auth.test", json.dumps(body).encode())
    assert json.loads(in_form)["ok"] is True
    assert json.loads(in_json)["error"] == "not_authed"


@pytest.mark.parametrize(
    ("body", "error"), [(b"[]", "json_not_object"), (b"{", "invalid_json"), (b"", "not_authed")]
)
def test_a_json_body_must_be_an_object_or_empty(
    slack: SlackStandIn, body: bytes, error: str
) -> None:
    assert json.loads(send(f"{slack.base_url}auth.test", body))["error"] == error


def test_a_revoked_token_is_refused_until_the_reset(client: WebClient, slack: SlackStandIn) -> None:
    slack.revoke_token()
    assert read_refusal(lambda: post_text(client))["error"] == "token_revoked"
    assert read_refusal(lambda: upload(client))["error"] == "token_revoked"
    slack.reset()
    assert slack.calls == ()
    assert client.auth_test()["ok"]


def test_a_locked_thread_takes_neither_replies_nor_files(
    client: WebClient, slack: SlackStandIn
) -> None:
    parent = post_text(client)
    slack.lock_thread(parent)
    for call in (
        lambda: post_text(client, thread_ts=parent),
        lambda: upload(client, thread_ts=parent),
    ):
        assert read_refusal(call)["error"] == "restricted_action_thread_locked"
    assert len(slack.messages) == 1
    assert len(client.conversations_replies(channel=CHANNEL, ts=parent)["messages"]) == 1


def test_a_reply_to_a_deleted_message_lands_in_the_channel(
    client: WebClient, slack: SlackStandIn
) -> None:
    parent = post_text(client)
    post_text(client, thread_ts=parent)
    slack.delete_message(parent)
    response = client.chat_postMessage(channel=CHANNEL, text="late", thread_ts=parent)
    assert "thread_ts" not in response["message"]
    assert [(each.text, each.thread_ts) for each in slack.messages] == [("late", None)]


def test_a_deleted_thread_takes_no_files(client: WebClient, slack: SlackStandIn) -> None:
    parent = post_text(client)
    slack.delete_message(parent)
    assert read_refusal(lambda: upload(client, thread_ts=parent))["error"] == "thread_not_found"
    assert slack.messages == ()


@pytest.mark.parametrize("thread_ts", [None, "1.000000"])
def test_a_channel_without_files_refuses_them_after_their_bytes(
    client: WebClient, slack: SlackStandIn, thread_ts: str | None
) -> None:
    slack.block_files()
    response = read_refusal(lambda: upload(client, thread_ts=thread_ts))
    assert response["error"] == "slack_connect_file_upload_sharing_blocked"
    assert slack.calls == ("files.getUploadURLExternal", "files.completeUploadExternal")
    assert slack.messages == ()
    post_text(client)
    slack.reset()
    upload(client)
    assert len(slack.messages) == 1


def test_only_existing_messages_are_deleted_and_locked(slack: SlackStandIn) -> None:
    with pytest.raises(RefusedError, match="message_not_found"):
        slack.delete_message("1.000000")
    with pytest.raises(RefusedError, match="thread_not_found"):
        slack.lock_thread("1.000000")


# Faults


def test_a_rate_limit_is_http_429_with_retry_after(client: WebClient, slack: SlackStandIn) -> None:
    slack.fail("chat.postMessage", Fault.rate_limited(7))
    with pytest.raises(SlackApiError) as caught:
        post_text(client)
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert caught.value.response["error"] == "ratelimited"
    assert slack.messages == ()
    post_text(client)
    assert slack.calls == ("chat.postMessage", "chat.postMessage")


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_is_not_json(client: WebClient, slack: SlackStandIn, status: int) -> None:
    slack.fail("*", Fault.http_error(status))
    with pytest.raises(SlackApiError) as caught:
        client.auth_test()
    assert caught.value.response.status_code == status
    assert "non-JSON" in caught.value.response["error"]


def test_a_planned_refusal_names_its_scopes(client: WebClient, slack: SlackStandIn) -> None:
    fault = Fault.refused("missing_scope", needed="files:write", provided="chat:write")
    slack.fail("files.getUploadURLExternal", fault)
    response = read_refusal(lambda: upload(client))
    assert response == {
        "ok": False,
        "error": "missing_scope",
        "needed": "files:write",
        "provided": "chat:write",
    }


def test_a_fault_affects_only_its_method_and_its_number_of_calls(
    client: WebClient, slack: SlackStandIn
) -> None:
    slack.fail("chat.postMessage", Fault.refused("internal_error"), times=2)
    client.auth_test()
    for _ in range(2):
        assert read_refusal(lambda: post_text(client))["error"] == "internal_error"
    post_text(client)
    assert len(slack.messages) == 1


def test_the_upload_of_the_bytes_can_fail_too(client: WebClient, slack: SlackStandIn) -> None:
    slack.fail("upload", Fault.http_error(500))
    with pytest.raises(HTTPError, match="500") as caught:
        upload(client)
    caught.value.close()
    assert slack.messages == ()


def test_a_fault_for_any_method_does_not_affect_the_upload_of_the_bytes(
    client: WebClient, slack: SlackStandIn
) -> None:
    ticket = client.files_getUploadURLExternal(filename="new.csv", length=3)
    slack.fail("*", Fault.refused("fatal_error"))
    assert send(ticket["upload_url"], b"abc") == "OK - 3"
    assert read_refusal(client.auth_test)["error"] == "fatal_error"


def test_a_reset_removes_the_faults(client: WebClient, slack: SlackStandIn) -> None:
    slack.fail("*", Fault.rate_limited())
    slack.reset()
    assert client.auth_test()["ok"]


def test_a_lost_response_posts_the_message_and_drops_the_connection(
    client: WebClient, slack: SlackStandIn
) -> None:
    slack.fail("chat.postMessage", Fault.response_lost())
    with pytest.raises(RemoteDisconnected):
        post_text(client)
    assert [message.text for message in slack.messages] == ["hello"]


def test_a_lost_response_with_a_status_is_a_server_error(
    client: WebClient, slack: SlackStandIn
) -> None:
    slack.fail("chat.postMessage", Fault.response_lost(500))
    with pytest.raises(SlackApiError):
        post_text(client)
    assert [message.text for message in slack.messages] == ["hello"]


def test_a_client_that_retries_after_a_lost_response_posts_twice(slack: SlackStandIn) -> None:
    at_once = FixedValueRetryIntervalCalculator(0)
    handlers = [ConnectionErrorRetryHandler(interval_calculator=at_once)]
    client = WebClient("xoxb-devstack", base_url=slack.base_url, retry_handlers=list(handlers))
    slack.fail("chat.postMessage", Fault.response_lost())
    post_text(client)
    assert [message.text for message in slack.messages] == ["hello", "hello"]


# Control by other processes


def test_another_process_can_read_the_messages_and_download_their_files(
    client: WebClient, slack: SlackStandIn
) -> None:
    upload(client, thread_ts=post_text(client, blocks=[{"type": "divider"}]))
    read = json.loads(send(f"{slack.page_url}_devstack/messages"))
    assert read["channel"] == {"id": CHANNEL, "name": "security-inbox"}
    assert "content" not in read["messages"][1]["files"][0]
    parent, reply = decode_messages(read["messages"])
    assert parent == slack.messages[0]
    assert reply.thread_ts == parent.ts
    assert send(reply.files[0].permalink).encode() == CSV


def test_another_process_can_plan_faults_and_reset(client: WebClient, slack: SlackStandIn) -> None:
    plan = {"method": "auth.test", "times": 2, "fault": {"kind": "rate_limited"}}
    post_text(client)
    send(f"{slack.page_url}_devstack/faults", json.dumps(plan).encode())
    assert read_refusal(client.auth_test)["error"] == "ratelimited"
    send(f"{slack.page_url}_devstack/reset", b"")
    assert client.auth_test()["ok"]
    assert slack.messages == ()


@pytest.mark.parametrize("plan", ["{}", '{"method": "*", "fault": {"kind": "bored"}}', "["])
def test_a_malformed_fault_is_refused(slack: SlackStandIn, plan: str) -> None:
    with pytest.raises(HTTPError, match="400") as caught:
        send(f"{slack.page_url}_devstack/faults", plan.encode())
    caught.value.close()
