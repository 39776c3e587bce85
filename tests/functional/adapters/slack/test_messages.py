import json
import logging
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from slack_sdk import WebClient

from chalicelib.adapters.slack import SlackChannel, slack_channel
from chalicelib.adapters.slack.client import web_client
from chalicelib.adapters.slack.codes import MEND, PASSING, REFUSED
from chalicelib.domain.errors import (
    DeliveryError,
    Forbidden,
    MessageRefused,
    ServiceError,
    Unavailable,
)
from chalicelib.domain.message import Rendered
from devstack.slack import Fault, SlackStandIn, serve_slack

pytestmark = pytest.mark.enable_socket

TOKEN = "xoxb-devstack"
CHANNEL = "C0DEVSTACK"
HEADER = {"type": "header", "text": {"type": "plain_text", "text": "2 new findings"}}
RENDERED = Rendered("2 new findings", (HEADER,))
UPLOAD_STEPS = ("files.getUploadURLExternal", "upload", "files.completeUploadExternal")

Answer = tuple[int, Mapping[str, str], bytes]


@pytest.fixture(scope="module")
def server() -> Iterator[SlackStandIn]:
    with serve_slack() as running:
        yield running


@pytest.fixture
def slack(server: SlackStandIn) -> SlackStandIn:
    server.reset()
    return server


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def channel(slack: SlackStandIn, naps: list[float]) -> SlackChannel:
    return slack_channel(lambda: TOKEN, CHANNEL, slack.base_url, sleep=naps.append)


def never(seconds: float) -> None:
    """A sleep that nobody is to take."""
    raise AssertionError(seconds)


def failure(act: Callable[[], object]) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        act()
    return caught.value


def post_failure(channel: SlackChannel) -> DeliveryError:
    return failure(lambda: channel.post(RENDERED))


def attach_failure(channel: SlackChannel, thread: str = "1.0") -> DeliveryError:
    return failure(lambda: channel.attach(thread, "findings.csv", "Findings", b"a,b\n"))


def everything_said_of(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """What a log could show of an error."""
    printed = "".join(traceback.format_exception(error))
    return f"{error}\n{error!r}\n{printed}\n{caplog.text}"


# Messages


def test_a_message_arrives_as_it_was_rendered(slack: SlackStandIn, channel: SlackChannel) -> None:
    thread = channel.post(RENDERED)
    (message,) = slack.messages
    assert (message.ts, message.text, message.blocks) == (thread, "2 new findings", (HEADER,))


def test_a_message_without_blocks_is_its_text(slack: SlackStandIn, channel: SlackChannel) -> None:
    channel.post(Rendered("plain", ()))
    assert [(each.text, each.blocks) for each in slack.messages] == [("plain", ())]


def test_nothing_in_a_message_becomes_a_link_or_a_mention(slack: SlackStandIn) -> None:
    sent: list[Any] = []

    class Recorder(WebClient):
        def api_call(self, api_method: str, **arguments: Any) -> Any:
            sent.append(arguments["json"])
            return super().api_call(api_method, **arguments)

    SlackChannel(lambda: Recorder(TOKEN, slack.base_url), CHANNEL).post(RENDERED)
    assert sent == [
        {
            "channel": CHANNEL,
            "text": "2 new findings",
            "blocks": [HEADER],
            "parse": "none",
            "link_names": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
    ]


# Files


def test_a_file_lands_in_the_thread_and_nowhere_else(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    thread = channel.post(RENDERED)
    content = "\ufefftitle\r\nÜberprüfung\r\n".encode()
    file_id = channel.attach(thread, "findings.csv", "2 new findings", content)
    _, reply = slack.messages
    (file,) = reply.files
    assert (reply.thread_ts, reply.text) == (thread, "")
    assert (file.id, file.name, file.title) == (file_id, "findings.csv", "2 new findings")
    assert file.content == content


@pytest.mark.parametrize(
    "hostile",
    [
        "a b.csv",
        "../../etc/passwd",
        'x"; y=".csv',
        "<!channel>&amp;\r\nX: y",
        "größe 🚨.csv",
        "%2e",
    ],
)
def test_hostile_names_arrive_as_they_are(
    slack: SlackStandIn, channel: SlackChannel, hostile: str
) -> None:
    channel.attach(channel.post(RENDERED), hostile, hostile, b"x")
    (file,) = slack.messages[1].files
    assert (file.name, file.title) == (hostile, hostile)


# Refusals


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("invalid_auth", "SLACK_TOKEN_PARAMETER"),
        ("not_authed", "SLACK_TOKEN_PARAMETER"),
        ("token_revoked", "SLACK_TOKEN_PARAMETER"),
        ("token_expired", "SLACK_TOKEN_PARAMETER"),
        ("account_inactive", "SLACK_TOKEN_PARAMETER"),
        ("missing_scope", "chat:write and files:write"),
        ("channel_not_found", "SLACK_CHANNEL to the ID"),
        ("not_in_channel", "invite the bot"),
        ("is_archived", "unarchive"),
        ("restricted_action", "SLACK_CHANNEL"),
        ("ekm_access_denied", "admins"),
        ("file_uploads_disabled", "file uploads"),
    ],
)
def test_a_permanent_refusal_says_what_to_mend(
    slack: SlackStandIn, channel: SlackChannel, code: str, named: str
) -> None:
    slack.fail("*", Fault.refused(code), times=2)
    for error in (post_failure(channel), attach_failure(channel)):
        assert (error.code, error.retryable) == (code, False)
        assert named in error.hint
        assert not isinstance(error, MessageRefused)


@pytest.mark.parametrize("code", sorted(MEND))
def test_every_permanent_code_names_a_setting_or_the_admins(code: str) -> None:
    assert "SLACK_" in MEND[code] or "admins" in MEND[code]


def test_no_code_stands_in_two_tables() -> None:
    assert len(MEND.keys() | PASSING | REFUSED) == len(MEND) + len(PASSING) + len(REFUSED)


@pytest.mark.parametrize("code", sorted(PASSING))
def test_a_passing_refusal_asks_nobody_for_anything(
    slack: SlackStandIn, channel: SlackChannel, code: str
) -> None:
    slack.fail("chat.postMessage", Fault.refused(code))
    error = post_failure(channel)
    assert (error.code, error.retryable, error.hint) == (code, True, "")


@pytest.mark.parametrize("code", sorted(REFUSED))
def test_a_refused_form_is_about_this_very_message(
    slack: SlackStandIn, channel: SlackChannel, code: str
) -> None:
    slack.fail("chat.postMessage", Fault.refused(code))
    error = post_failure(channel)
    assert isinstance(error, MessageRefused)
    assert (error.code, error.retryable) == (code, False)


def test_a_refused_form_says_where_it_is_wrong(channel: SlackChannel) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}
    error = failure(lambda: channel.post(Rendered("x", (header,))))
    assert error.code == "invalid_blocks"
    assert "/blocks/0/text" in error.hint
    assert len(error.hint) <= 300


def test_a_code_that_nobody_knows_is_tried_again_and_looked_up(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    slack.fail("chat.postMessage", Fault.refused("brand_new_code"))
    error = post_failure(channel)
    assert (error.code, error.retryable) == ("brand_new_code", True)
    assert "look up the code" in error.hint


# Faults


@pytest.mark.parametrize("status", [408, 500, 502, 503])
def test_a_server_fault_is_passing(slack: SlackStandIn, channel: SlackChannel, status: int) -> None:
    slack.fail("chat.postMessage", Fault.http_error(status))
    error = post_failure(channel)
    assert (error.code, error.retryable, error.hint) == (f"http_{status}", True, "")
    assert slack.messages == ()


@pytest.mark.parametrize("status", [403, 404, 407])
def test_another_status_points_to_the_address(
    slack: SlackStandIn, channel: SlackChannel, status: int
) -> None:
    slack.fail("chat.postMessage", Fault.http_error(status))
    error = post_failure(channel)
    assert (error.code, error.retryable) == (f"http_{status}", True)
    assert "SLACK_BASE_URL" in error.hint


@pytest.mark.parametrize("seconds", [0, 2, 30])
def test_a_short_wait_is_waited_for_once(
    slack: SlackStandIn, channel: SlackChannel, naps: list[float], seconds: int
) -> None:
    slack.fail("chat.postMessage", Fault.rate_limited(retry_after=seconds))
    channel.post(RENDERED)
    assert naps == [seconds]
    assert len(slack.messages) == 1


def test_a_second_wait_is_left_to_the_next_pass(
    slack: SlackStandIn, channel: SlackChannel, naps: list[float]
) -> None:
    slack.fail("chat.postMessage", Fault.rate_limited(retry_after=1), times=2)
    error = post_failure(channel)
    assert (error.code, error.retryable, error.hint) == ("http_429", True, "")
    assert naps == [1]


def test_a_long_wait_is_not_slept(
    slack: SlackStandIn, channel: SlackChannel, naps: list[float]
) -> None:
    slack.fail("chat.postMessage", Fault.rate_limited(retry_after=31))
    error = post_failure(channel)
    assert (error.code, error.retryable) == ("http_429", True)
    assert naps == []
    assert slack.calls == ("chat.postMessage",)


@pytest.mark.parametrize("step", UPLOAD_STEPS)
def test_a_rate_limit_while_uploading_is_passing(
    slack: SlackStandIn, channel: SlackChannel, step: str
) -> None:
    slack.fail(step, Fault.rate_limited(retry_after=60))
    error = attach_failure(channel)
    assert error.code.endswith("http_429")
    assert error.retryable


def test_a_lost_answer_is_not_posted_again_at_once(
    slack: SlackStandIn, channel: SlackChannel
) -> None:
    slack.fail("chat.postMessage", Fault.response_lost())
    error = post_failure(channel)
    assert (error.code, error.retryable) == ("unreachable", True)
    assert len(slack.messages) == 1
    assert slack.calls == ("chat.postMessage",)


@pytest.mark.parametrize("step", UPLOAD_STEPS)
@pytest.mark.parametrize("fault", [Fault.response_lost(), Fault.response_lost(500)])
def test_an_answer_lost_while_uploading_is_passing(
    slack: SlackStandIn, channel: SlackChannel, step: str, fault: Fault
) -> None:
    thread = channel.post(RENDERED)
    slack.fail(step, fault)
    assert attach_failure(channel, thread).retryable
    channel.attach(thread, "findings.csv", "Findings", b"a,b\n")


def test_nobody_there_is_passing() -> None:
    with closing(socket.socket()) as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        error = post_failure(slack_channel(lambda: TOKEN, CHANNEL, f"http://127.0.0.1:{port}/"))
    assert (error.code, error.retryable, error.hint) == ("unreachable", True, "")


def test_no_answer_in_time_is_passing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"

        def connect() -> WebClient:
            client = web_client(lambda: TOKEN, url, 10, 0, never)
            client.timeout = 0.05  # type: ignore[assignment] # declared int, taken as seconds
            return client

        error = post_failure(SlackChannel(connect, CHANNEL))
    assert (error.code, error.retryable, error.hint) == ("timeout", True, "")


# Answers of the wrong shape


@contextmanager
def answering(answers: Mapping[str, Answer]) -> Iterator[str]:
    """Serve these answers, by the end of the path, and give the base URL; `$URL` is put in."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, body = answers[self.path.rpartition("/")[2]]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.replace(b"$URL", url.encode()))

        def log_message(self, *_: object) -> None:
            """Be silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        url = f"http://127.0.0.1:{running.server_port}/"
        thread = Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield url
        finally:
            running.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>Sign in to the network</html>"),
        (200, {}, b'{"ok": true, "ts": '),
        (200, {}, b'{"ok": true}'),
        (200, {}, b'{"ok": true, "ts": null}'),
        (200, {}, b'{"ok": false}'),
        (200, {}, b'{"ok": false, "error": {"code": 7}}'),
        (200, {}, b"null"),
        (200, {"Content-Length": "100"}, b'{"ok": true'),
        (200, {"Content-Type": "text/plain; charset=klingon"}, b"x"),
        (200, {"Content-Type": "text/plain; charset=utf-8"}, b"\xff"),
    ],
)
def test_an_answer_that_cannot_be_read_is_passing(answer: Answer) -> None:
    with answering({"chat.postMessage": answer}) as url:
        error = post_failure(slack_channel(lambda: TOKEN, CHANNEL, url))
    assert (error.code, error.retryable) == ("unreadable_answer", True)


@pytest.mark.parametrize(
    "headers", [{}, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {"Retry-After": "-1"}]
)
def test_a_rate_limit_without_seconds_is_left_to_the_next_pass(headers: Mapping[str, str]) -> None:
    with answering({"chat.postMessage": (429, headers, b"slow down")}) as url:
        channel = slack_channel(lambda: TOKEN, CHANNEL, url, sleep=never)
        error = post_failure(channel)
    assert (error.code, error.retryable) == ("http_429", True)


@pytest.mark.parametrize("files", ["[]", '[{"id": ""}]'])
def test_a_file_without_an_id_is_as_good_as_lost(files: str) -> None:
    answers = {
        "files.getUploadURLExternal": answer_ok(upload_url="$URLsecret", file_id="F1"),
        "secret": (200, {}, b"OK"),
        "files.completeUploadExternal": (200, {}, f'{{"ok": true, "files": {files}}}'.encode()),
    }
    with answering(answers) as url:
        error = attach_failure(slack_channel(lambda: TOKEN, CHANNEL, url))
    assert (error.code, error.retryable) == ("unreadable_answer", True)


def answer_ok(**fields: str) -> Answer:
    return 200, {}, json.dumps({"ok": True, **fields}).encode()


# Secrets


@pytest.mark.parametrize("step", UPLOAD_STEPS)
@pytest.mark.parametrize(
    "fault",
    [Fault.http_error(500), Fault.http_error(400), Fault.response_lost(), Fault.refused("x")],
)
def test_neither_token_nor_upload_url_is_ever_told(
    slack: SlackStandIn,
    channel: SlackChannel,
    caplog: pytest.LogCaptureFixture,
    step: str,
    fault: Fault,
) -> None:
    caplog.set_level(logging.DEBUG)
    slack.fail(step, fault)
    said = everything_said_of(attach_failure(channel), caplog)
    assert "xoxb" not in said
    assert "/upload/v1" not in said


@pytest.mark.parametrize(
    "answers",
    [
        {"files.getUploadURLExternal": (200, {}, b'{"upload_url": "$URLsecret"}')},
        {"files.getUploadURLExternal": (200, {}, b"$URLsecret")},
        {"files.getUploadURLExternal": (404, {}, b"no $URLsecret here")},
        {
            "files.getUploadURLExternal": answer_ok(upload_url="$URLsecret", file_id="F1"),
            "secret": (201, {}, b"created $URLsecret"),
        },
        {
            "files.getUploadURLExternal": answer_ok(upload_url="$URLsecret", file_id="F1"),
            "secret": (400, {}, b"no $URLsecret here"),
        },
        {"files.getUploadURLExternal": answer_ok(upload_url="http://secret secret/", file_id="F")},
        {"files.getUploadURLExternal": answer_ok(upload_url="secret", file_id="F")},
    ],
)
def test_an_answer_that_quotes_the_upload_url_is_not_quoted(
    answers: Mapping[str, Answer], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with answering(answers) as url:
        error = attach_failure(slack_channel(lambda: TOKEN, CHANNEL, url))
    said = everything_said_of(error, caplog)
    assert error.retryable
    assert "secret" not in said
    assert "xoxb" not in said


def test_a_message_that_goes_well_leaves_no_trace_in_the_log(
    channel: SlackChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    channel.attach(channel.post(RENDERED), "findings.csv", "Findings", b"a,b\n")
    assert caplog.text == ""


# The token


def channel_of(slack: SlackStandIn, *answers: str | ServiceError) -> SlackChannel:
    """A channel whose token is asked for as often as there are answers, and no more."""
    waiting: Sequence[str | ServiceError] = list(answers)
    rest = iter(waiting)

    def token() -> str:
        answer = next(rest)
        if isinstance(answer, ServiceError):
            raise answer
        return answer

    return slack_channel(token, CHANNEL, slack.base_url)


def test_the_token_is_read_once(slack: SlackStandIn) -> None:
    channel = channel_of(slack, TOKEN)
    channel.attach(channel.post(RENDERED), "findings.csv", "Findings", b"a,b\n")
    slack.fail("chat.postMessage", Fault.refused("internal_error"))
    post_failure(channel)
    channel.post(RENDERED)
    assert sum(message.thread_ts is None for message in slack.messages) == 2


def test_a_new_token_counts_from_the_next_post_on(slack: SlackStandIn) -> None:
    channel = channel_of(slack, "xoxb-old", TOKEN)
    assert post_failure(channel).code == "invalid_auth"
    channel.post(RENDERED)
    channel.post(RENDERED)
    assert len(slack.messages) == 2


def test_a_new_token_counts_for_a_file_too(slack: SlackStandIn) -> None:
    channel = channel_of(slack, TOKEN, TOKEN)
    thread = channel.post(RENDERED)
    slack.fail("files.getUploadURLExternal", Fault.refused("missing_scope", needed="files:write"))
    assert attach_failure(channel, thread).code == "missing_scope"
    channel.attach(thread, "findings.csv", "Findings", b"a,b\n")


def test_a_revoked_token_is_told_as_such(slack: SlackStandIn, channel: SlackChannel) -> None:
    slack.revoke_token()
    error = post_failure(channel)
    assert (error.code, error.retryable) == ("token_revoked", False)


def test_a_token_may_end_in_a_newline(slack: SlackStandIn) -> None:
    channel_of(slack, f" {TOKEN}\n").post(RENDERED)
    assert len(slack.messages) == 1


@pytest.mark.parametrize(
    ("reason", "retryable", "hint"),
    [
        (Forbidden("create the parameter of SLACK_TOKEN_PARAMETER"), False, "SLACK_TOKEN_PARAM"),
        (Unavailable("SSM did not answer"), True, ""),
    ],
)
def test_a_token_that_cannot_be_read_delays_the_message(
    slack: SlackStandIn, reason: ServiceError, retryable: bool, hint: str
) -> None:
    channel = channel_of(slack, reason, TOKEN)
    error = post_failure(channel)
    assert (error.code, error.retryable) == ("token_unreadable", retryable)
    assert hint in error.hint
    assert bool(error.hint) is not retryable
    channel.post(RENDERED)


@pytest.mark.parametrize("wrong", ["", "  ", f"{TOKEN}\n{TOKEN}", f"{TOKEN} {TOKEN}", "xoxb-ö"])
def test_what_is_no_token_is_not_sent_and_not_quoted(
    slack: SlackStandIn, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    caplog.set_level(logging.DEBUG)
    error = post_failure(channel_of(slack, wrong))
    assert (error.code, error.retryable) == ("token_malformed", False)
    assert "SLACK_TOKEN_PARAMETER" in error.hint
    said = everything_said_of(error, caplog)
    assert TOKEN not in said
    assert "xoxb-ö" not in said
    assert slack.calls == ()
