"""The page of the stand-in: it shows the channel as a person sees it in Slack."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from slack_sdk import WebClient

from devstack.slack import SlackStandIn, serve_slack

pytestmark = pytest.mark.enable_socket

CHANNEL = "C0DEVSTACK"
HOSTILE = '<!channel> <img src=x onerror=alert(1)> "&amp; {{ 7 * 7 }} *b* :fire: [red]x[/red]'


@pytest.fixture(scope="module")
def server() -> Iterator[SlackStandIn]:
    with serve_slack(clock=lambda: 1700000000.0) as slack:
        yield slack


@pytest.fixture
def slack(server: SlackStandIn) -> SlackStandIn:
    server.reset()
    return server


@pytest.fixture
def client(slack: SlackStandIn) -> WebClient:
    return WebClient("xoxb-devstack", base_url=slack.base_url)


def post(client: WebClient, *blocks: dict[str, Any], text: str = "x", **arguments: Any) -> str:
    response = client.chat_postMessage(channel=CHANNEL, text=text, blocks=blocks, **arguments)
    return str(response["ts"])


def build_section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def build_raw_text(text: str) -> dict[str, str]:
    return {"type": "raw_text", "text": text}


def load_page(slack: SlackStandIn, query: str = "") -> str:
    with urlopen(f"{slack.page_url}{query}") as response:  # noqa: S310 - ours
        return str(response.read().decode())


def read_cells(html: str) -> list[str]:
    return [unescape(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", html)]


def test_an_empty_channel_has_a_note(slack: SlackStandIn) -> None:
    assert "No messages in <b>#security-inbox</b> yet" in load_page(slack)


def test_a_message_shows_its_day_and_time(client: WebClient, slack: SlackStandIn) -> None:
    ts = post(client, text="hello")
    post(client, text="again")
    html = load_page(slack)
    assert f'<article class="post" id="m-{ts}">' in html
    assert html.count("Tuesday, 14 November 2023") == 1
    assert ">22:13</time>" in html
    assert '<div class="text">hello</div>' in html


def test_blocks_replace_the_text(client: WebClient, slack: SlackStandIn) -> None:
    fields = [{"type": "mrkdwn", "text": f"*{name}*\n{name}"} for name in ("New", "Open")]
    post(
        client,
        {"type": "header", "text": {"type": "plain_text", "text": ":warning: 3 new"}},
        build_section("two _nodes_ deferred"),
        {"type": "section", "fields": fields},
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "stage `prod`"}]},
        {
            "type": "actions",
            "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Snooze"}}],
        },
        text="the fallback",
    )
    html = load_page(slack)
    assert "<h2>⚠️ 3 new</h2>" in html
    assert "two <i>nodes</i> deferred" in html
    assert (
        '<div class="fields"><div><b>New</b>\nNew</div><div><b>Open</b>\nOpen</div></div>' in html
    )
    assert "<hr>" in html
    assert "<span>stage <code>prod</code></span>" in html
    assert ">Snooze</span>" in html
    assert "the fallback" not in html


def test_a_table_shows_its_cells_with_their_alignment(
    client: WebClient, slack: SlackStandIn
) -> None:
    rows = [
        [build_raw_text("Title"), build_raw_text("Nodes")],
        [build_raw_text("Ensure auditd"), build_raw_text("41")],
    ]
    settings = [{"is_wrapped": True}, {"align": "right"}]
    post(client, {"type": "table", "rows": rows, "column_settings": settings})
    html = load_page(slack)
    assert read_cells(html) == ["Title", "Nodes", "Ensure auditd", "41"]
    assert '<td class="left wrapped">Ensure auditd</td>' in html
    assert '<td class="right">41</td>' in html


@pytest.mark.parametrize("place", ["header", "cell", "title"])
def test_hostile_text_is_shown_literally_in_fields_without_markup(
    client: WebClient, slack: SlackStandIn, place: str
) -> None:
    if place == "header":
        literal = {"type": "plain_text", "text": HOSTILE, "emoji": False}
        post(client, {"type": "header", "text": literal})
    elif place == "cell":
        post(client, {"type": "table", "rows": [[build_raw_text(HOSTILE)]]})
    else:
        client.files_upload_v2(channel=CHANNEL, filename="a.txt", title=HOSTILE, content="x")
    html = load_page(slack)
    assert HOSTILE in unescape(html)
    assert "<img" not in html
    assert 'class="ping"' not in html


def test_unescaped_mrkdwn_shows_its_pings_and_links(client: WebClient, slack: SlackStandIn) -> None:
    post(client, build_section("<!channel> <https://evil.example/?a=1&amp;b=2|Log in> <img src=x>"))
    html = load_page(slack)
    assert '<span class="ping">@channel</span>' in html
    assert '<a href="https://evil.example/?a=1&amp;b=2" rel="noreferrer">Log in</a>' in html
    assert "&lt;img src=x&gt;" in html


def test_escaped_mrkdwn_is_shown_literally(client: WebClient, slack: SlackStandIn) -> None:
    post(client, build_section("&lt;!channel&gt; &amp; co"))
    html = load_page(slack)
    assert "&lt;!channel&gt; &amp; co" in html
    assert 'class="ping"' not in html


def test_the_page_forbids_scripts(slack: SlackStandIn) -> None:
    with urlopen(slack.page_url) as response:  # noqa: S310 - ours
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_replies_are_counted_and_shown_under_their_parent(
    client: WebClient, slack: SlackStandIn
) -> None:
    parent = post(client, text="parent")
    reply = post(client, text="first", thread_ts=parent)
    assert "1 reply<" in load_page(slack)
    post(client, text="second", thread_ts=parent)
    after = post(client, text="after")
    html = load_page(slack)
    assert "2 replies<" in html
    order = [html.index(f'id="m-{ts}"') for ts in (parent, reply, after)]
    assert order == sorted(order)
    assert html.count("<article") == 4


def test_a_single_message_can_be_shown(client: WebClient, slack: SlackStandIn) -> None:
    post(client, text="earlier")
    parent = post(client, text="parent")
    reply = post(client, text="a reply", thread_ts=parent)
    with_thread = load_page(slack, f"?only={parent}")
    assert "earlier" not in with_thread
    assert "a reply" in with_thread
    assert "<header" not in with_thread
    assert load_page(slack, f"?only={reply}").count("<article") == 1


def test_an_unknown_message_is_not_found(slack: SlackStandIn) -> None:
    with pytest.raises(HTTPError, match="404") as caught:
        load_page(slack, "?only=1.000000")
    caught.value.close()


def test_the_page_refreshes_only_on_request(slack: SlackStandIn) -> None:
    assert "http-equiv" not in load_page(slack)
    assert '<meta http-equiv="refresh" content="5">' in load_page(slack, "?refresh=5")


def test_rich_text_is_shown_in_blocks_and_in_cells(client: WebClient, slack: SlackStandIn) -> None:
    bold = {"type": "text", "text": "Total", "style": {"bold": True}}
    text = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [bold]}]}
    post(client, text, {"type": "table", "rows": [[text]]})
    html = load_page(slack)
    assert '<div class="text"><b>Total</b></div>' in html
    assert '<td class="left"><b>Total</b></td>' in html


def test_an_edited_message_is_marked(client: WebClient, slack: SlackStandIn) -> None:
    ts = post(client, text="old")
    assert "(edited)" not in load_page(slack)
    client.chat_update(channel=CHANNEL, ts=ts, text="new")
    assert "(edited)" in load_page(slack)


def test_a_csv_file_shows_its_first_rows(client: WebClient, slack: SlackStandIn) -> None:
    lines = ["\ufefftitle,nodes", *(f'"title, {number}",{number}' for number in range(11))]
    content = "\r\n".join(lines)
    client.files_upload_v2(channel=CHANNEL, filename="new.csv", title="New", content=content)
    html = load_page(slack)
    assert "<th>title</th><th>nodes</th>" in html
    assert read_cells(html)[:3] == ["1", "title, 0", "0"]
    assert read_cells(html)[-3:] == ["8", "title, 7", "7"]
    assert "3 more rows in the file" in html
    assert f"new.csv · {len(content.encode())} bytes" in html


def test_an_unreadable_csv_file_has_a_card_without_rows(
    client: WebClient, slack: SlackStandIn
) -> None:
    client.files_upload_v2(channel=CHANNEL, filename="big.csv", content="x" * 200_000)
    assert 'class="csv"' not in load_page(slack)


def test_a_file_of_another_type_has_a_card_without_rows(
    client: WebClient, slack: SlackStandIn
) -> None:
    client.files_upload_v2(channel=CHANNEL, filename="n.bin", content=b"\x00" * 2_500_000)
    html = load_page(slack)
    assert "n.bin · 2.4 MB" in html
    assert 'class="csv"' not in html


@pytest.mark.parametrize("name", ["new.csv", "März 2025.csv", '../"x;.csv', "a?b#c%2F.csv"])
def test_a_file_downloads_with_its_name_and_never_opens_in_the_browser(
    client: WebClient, slack: SlackStandIn, name: str
) -> None:
    client.files_upload_v2(channel=CHANNEL, filename=name, content=b"a,b\r\n")
    (link,) = re.findall(r'class="get" href="([^"]+)"', load_page(slack))
    with urlopen(unescape(link)) as response:  # noqa: S310 - ours
        assert response.read() == b"a,b\r\n"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_download_needs_the_id_and_the_name_of_the_file(
    client: WebClient, slack: SlackStandIn
) -> None:
    response = client.files_upload_v2(channel=CHANNEL, filename="new.csv", content="a,b")
    file_id = response["files"][0]["id"]
    assert load_page(slack, f"files/{file_id}/new.csv") == "a,b"
    for path in (f"files/{file_id}/other.csv", "files/F0/new.csv"):
        with pytest.raises(HTTPError, match="404") as caught:
            load_page(slack, path)
        caught.value.close()
