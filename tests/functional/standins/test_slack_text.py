"""Message text: how it is parsed, and which of its characters reach a terminal."""

from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from devstack.slack import File, Message
from devstack.slack.markup import parse_mrkdwn, parse_rich_text
from devstack.slack.page import render_html
from devstack.slack.terminal import escape_controls, render_transcript


def convert(text: str) -> str:
    return str(render_html(parse_mrkdwn(text)))


def print_messages(*messages: Message) -> str:
    console = Console(width=100, file=StringIO())
    console.print(render_transcript(messages))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def build_message(*blocks: dict[str, Any], **changes: Any) -> Message:
    fields = {"ts": "1700000000.000100", "text": "hello", **changes}
    return Message(channel="C0", user="U0", blocks=blocks, **fields)


def build_table(*rows: tuple[str, ...]) -> dict[str, Any]:
    cells = [[{"type": "raw_text", "text": text} for text in row] for row in rows]
    return {"type": "table", "rows": cells, "column_settings": [None, {"align": "right"}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "*bold* _italic_ ~gone~ `code`",
            "<b>bold</b> <i>italic</i> <s>gone</s> <code>code</code>",
        ),
        ("*bold _and italic_*", "<b>bold </b><b><i>and italic</i></b>"),
        ("2*3*4 snake_case_name /etc/*.d", "2*3*4 snake_case_name /etc/*.d"),
        ("* no bold *", "* no bold *"),
        ("`*literal*`", "<code>*literal*</code>"),
        ("```\n*a*\n```", "<pre>*a*</pre>"),
        ("&gt; said\nthen", "<blockquote>said</blockquote>then"),
        (":white_check_mark: :unheard_of:", "✅ :unheard_of:"),
        (
            "<!here> <!everyone>",
            '<span class="ping">@here</span> <span class="ping">@everyone</span>',
        ),
        ("<!subteam^S1|@ops>", '<span class="ping">@ops</span>'),
        (
            "<@U1|ann> <#C1|inbox>",
            '<span class="mention">@ann</span> <span class="mention">#inbox</span>',
        ),
        (
            "`<!channel>`",
            '<code></code><span class="ping"><code>@channel</code></span><code></code>',
        ),
        ("<!date^1700000000^{date}|14 November>", "14 November"),
        (
            "<https://a.example|A &amp; B>",
            '<a href="https://a.example" rel="noreferrer">A &amp; B</a>',
        ),
        ("<mailto:a@b.c>", '<a href="mailto:a@b.c" rel="noreferrer">a@b.c</a>'),
        (
            "see https://a.example/x_y_z.",
            'see <a href="https://a.example/x_y_z" rel="noreferrer">https://a.example/x_y_z</a>.',
        ),
        ("<javascript:alert(1)|click>", "&lt;javascript:alert(1)|click&gt;"),
        ("<script>", "&lt;script&gt;"),
        ("&amp;lt;", "&amp;lt;"),
    ],
)
def test_mrkdwn_is_parsed_as_in_slack(text: str, expected: str) -> None:
    assert convert(text) == expected


@given(st.text(alphabet="<>&!*_~`|:@#/ \nabchere\"'"))
def test_no_text_creates_an_html_element_of_its_own(text: str) -> None:
    names = set(convert(text).replace("</", "<").split("<")[1:])
    ours = ("b>", "i>", "s>", "code>", "pre>", "blockquote>", "span", "a ", "a>")
    assert all(name.startswith(ours) for name in names)


def test_rich_text_has_the_same_styles_as_mrkdwn() -> None:
    def styled(text: str, **style: bool) -> dict[str, Any]:
        return {"type": "text", "text": text, "style": style}

    line = {"type": "rich_text_section", "elements": [styled("bold", bold=True)]}
    items = [{"type": "rich_text_section", "elements": [styled(each)]} for each in "ab"]
    other = [
        {"type": "link", "url": "https://a.example"},
        {"type": "emoji", "name": "fire"},
        {"type": "broadcast", "range": "channel"},
        {"type": "user", "user_id": "U1"},
        {"type": "channel", "channel_id": "C1"},
    ]
    block = {
        "type": "rich_text",
        "elements": [
            line,
            {"type": "rich_text_list", "style": "ordered", "elements": items},
            {"type": "rich_text_quote", "elements": other},
        ],
    }
    assert str(render_html(parse_rich_text(block))) == (
        "<b>bold</b>\n1. a\n2. b\n<blockquote>"
        '<a href="https://a.example" rel="noreferrer">https://a.example</a>🔥'
        '<span class="ping">@channel</span><span class="mention">@U1</span>'
        '<span class="mention">#C1</span></blockquote>'
    )


def test_a_rich_text_link_cannot_run_a_script() -> None:
    link = {"type": "link", "url": "javascript:alert(1)", "text": "click"}
    section = {"type": "rich_text_section", "elements": [link]}
    assert str(render_html(parse_rich_text({"elements": [section]}))) == "click"


def test_a_transcript_shows_every_block() -> None:
    field = {"type": "mrkdwn", "text": "*New*\n3"}
    text = print_messages(
        build_message(
            {"type": "header", "text": {"type": "plain_text", "text": "3 new findings"}},
            {"type": "section", "text": field, "fields": [field, field, field]},
            build_table(("Title", "Nodes"), ("Ensure auditd", "41")),
            {"type": "divider"},
            {"type": "context", "elements": [field, field]},
            {
                "type": "actions",
                "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go"}}],
            },
            {"type": "markdown", "text": "# literal"},
        )
    )
    assert "2023-11-14 22:13:20 UTC" in text
    assert "3 new findings" in text
    assert text.count("New") == 6
    assert "Ensure auditd" in text
    assert "41" in text
    assert "[Go]" in text
    assert "# literal" in text
    assert "hello" not in text


def test_a_transcript_indents_replies_and_links_their_files() -> None:
    file = File("F1", "new.csv", "New", "text/csv", 1234, "http://127.0.0.1/files/F1/new.csv")
    reply = build_message(
        ts="1700000000.000300", thread_ts="1700000000.000100", files=(file,), text=""
    )
    other = build_message(ts="1700000000.000200", text="other", edited=True)
    text = print_messages(build_message(), other, reply)
    assert text.index("new.csv") < text.index("other")
    assert "\n    📎 " in text
    assert "(new.csv, 1,234 bytes)" in text
    assert "http://127.0.0.1/files/F1/new.csv" in text
    assert "(edited)" in text


def test_markup_of_the_terminal_library_is_printed_literally() -> None:
    text = print_messages(
        build_message(build_table(("[bold red]x[/]", "1")), text="y"),
        build_message(text="[blink]z[/]"),
    )
    assert "[bold red]x[/]" in text
    assert "[blink]z[/]" in text


def test_a_link_is_printed_with_its_target() -> None:
    assert "Log in (https://evil.example)" in print_messages(
        build_message(text="<https://evil.example|Log in>")
    )


@pytest.mark.parametrize(
    ("hostile", "named"),
    [
        ("\x1b]0;title\x07", "<U+001B>]0;title<U+0007>"),
        ("\u202etxt.exe", "<U+202E>txt.exe"),
        ("a\u2066b\u2069", "a<U+2066>b<U+2069>"),
        ("a\u200bb\u2028c\ud800", "a<U+200B>b<U+2028>c<U+D800>"),
        ("tab\there\r", "tab<U+0009>here<U+000D>"),
        ("Zürich ⚠️\nline", "Zürich ⚠️\nline"),
    ],
)
def test_control_characters_are_replaced_by_their_names(hostile: str, named: str) -> None:
    assert escape_controls(hostile) == named


def test_no_control_character_of_a_message_reaches_the_terminal() -> None:
    bad = "a\x1b[2Jb\u202ec"
    file = File("F1", bad, bad, "text/csv", 1, f"http://{bad}")
    header = {"type": "header", "text": {"type": "plain_text", "text": bad}}
    text = print_messages(
        build_message(header, build_table((bad, bad)), files=(file,)), build_message(text=bad)
    )
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("<U+202E>") == 7
