"""Slack's limits on blocks, and the words in which it says that one is passed."""

from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from devstack.slack import SlackStandIn, serve_slack

pytestmark = pytest.mark.enable_socket

Json = dict[str, Any]
EMPTY = "must be more than 0 characters"
NO_SCHEMA = "failed to match all allowed schemas"


@pytest.fixture(scope="module")
def server() -> Iterator[SlackStandIn]:
    with serve_slack() as slack:
        yield slack


@pytest.fixture
def slack(server: SlackStandIn) -> SlackStandIn:
    server.reset()
    return server


def plain(length: int = 1) -> Json:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int = 1) -> Json:
    return {"type": "mrkdwn", "text": "x" * length}


def header(length: int = 1) -> Json:
    return {"type": "header", "text": plain(length)}


def section(length: int = 1) -> Json:
    return {"type": "section", "text": mrkdwn(length)}


def fields(number: int, length: int = 1) -> Json:
    return {"type": "section", "fields": [mrkdwn(length)] * number}


def context(number: int, length: int = 1) -> Json:
    return {"type": "context", "elements": [plain(length)] * number}


def actions(number: int, length: int = 1) -> Json:
    return {"type": "actions", "elements": [{"type": "button", "text": plain(length)}] * number}


def table(rows: int = 1, columns: int = 1, length: int = 1, **extra: Any) -> Json:
    cell = {"type": "raw_text", "text": "x" * length}
    return {"type": "table", "rows": [[cell] * columns for _ in range(rows)], **extra}


def rich_text(text: str = "x", kind: str = "rich_text_section") -> Json:
    elements = [{"type": "text", "text": text}]
    return {"type": "rich_text", "elements": [{"type": kind, "elements": elements}]}


def bullets(items: list[Json]) -> Json:
    return {"type": "rich_text_list", "style": "bullet", "elements": items}


def markdown(length: int = 1) -> Json:
    return {"type": "markdown", "text": "x" * length}


def post(slack: SlackStandIn, *blocks: object) -> Json:
    """Post blocks and give the answer, whatever it is."""
    client = WebClient("xoxb-devstack", base_url=slack.base_url)
    try:
        answer = client.chat_postMessage(channel="C0DEVSTACK", text="x", blocks=list(blocks))  # type: ignore[arg-type] # wrong blocks on purpose
    except SlackApiError as error:
        answer = error.response
    assert isinstance(answer.data, dict)
    return answer.data


def refusal(slack: SlackStandIn, *blocks: object) -> list[str]:
    """Give the problems with which blocks are refused as invalid."""
    answer = post(slack, *blocks)
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"] == [f"[ERROR] {e}" for e in answer["errors"]]
    assert slack.messages == ()
    return list(answer["errors"])


@pytest.mark.parametrize(
    "blocks",
    [
        [header(150)],
        [section(3_000)],
        [fields(10)],
        [fields(1, 2_000)],
        [context(10)],
        [context(1, 3_000)],
        [actions(25)],
        [actions(1, 75)],
        [markdown(12_000)],
        [rich_text()],
        [{"type": "rich_text", "elements": [bullets(rich_text()["elements"])]}],
        [table(100, 1)],
        [table(1, 20)],
        [table(10, 10, 100)],
        [table(2, 2, column_settings=[{"align": "right", "is_wrapped": True}, None])],
        [{"type": "table", "rows": [[rich_text()]]}],
        [{"type": "divider", "block_id": "b" * 255}],
        [{"type": "divider"}] * 50,
        [section(3_000)] * 4 + [section(1_000)],
    ],
)
def test_blocks_at_their_limits_are_posted(slack: SlackStandIn, blocks: list[Json]) -> None:
    assert post(slack, *blocks)["ok"]
    assert slack.messages[0].blocks == tuple(blocks)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (header(151), "must be less than 151 characters [json-pointer:/blocks/0/text/text]"),
        (header(0), f"{EMPTY} [json-pointer:/blocks/0/text/text]"),
        ({"type": "header"}, "missing required field: text [json-pointer:/blocks/0]"),
        (
            {"type": "header", "text": mrkdwn()},
            "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
        ),
        ({"type": "header", "text": "x"}, "must provide an object [json-pointer:/blocks/0/text]"),
        (
            {"type": "section"},
            "must define either `text` or `fields` [json-pointer:/blocks/0/type]",
        ),
        (fields(11), "no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
        (context(11), "no more than 10 items allowed [json-pointer:/blocks/0/elements]"),
        (context(0), "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
        ({"type": "context"}, "must provide an array [json-pointer:/blocks/0/elements]"),
        (actions(26), "no more than 25 items allowed [json-pointer:/blocks/0/elements]"),
        (
            actions(1, 76),
            "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
        ),
        (
            {"type": "actions", "elements": [{"type": "lever"}]},
            f"{NO_SCHEMA} [json-pointer:/blocks/0/elements/0]",
        ),
        (markdown(12_001), "must be less than 12001 characters [json-pointer:/blocks/0/text]"),
        ({"type": "table"}, "missing required field: rows [json-pointer:/blocks/0]"),
        (table(101), "no more than 100 items allowed [json-pointer:/blocks/0/rows]"),
        (table(1, 21), "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"),
        (table(1, 0), "no fewer than 1 items allowed [json-pointer:/blocks/0/rows/0]"),
        (table(11, 10, 91), "must be less than 10001 characters [json-pointer:/blocks/0/rows]"),
        (
            table(column_settings=[{"align": "middle"}]),
            "must be one of: left, center, right [json-pointer:/blocks/0/column_settings/0/align]",
        ),
        (
            table(column_settings=[{"is_wrapped": "yes"}]),
            "must provide a boolean [json-pointer:/blocks/0/column_settings/0/is_wrapped]",
        ),
        (
            table(column_settings=["left"]),
            "must provide an object [json-pointer:/blocks/0/column_settings/0]",
        ),
        (
            {"type": "rich_text"},
            "missing required field: elements [json-pointer:/blocks/0]",
        ),
        (
            rich_text(""),
            f"{EMPTY} [json-pointer:/blocks/0/elements/0/elements/0/text]",
        ),
        (
            {"type": "rich_text", "elements": [bullets([{"type": "text", "text": "x"}])]},
            f"{NO_SCHEMA} [json-pointer:/blocks/0/elements/0/elements/0]",
        ),
        (
            {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": ["x"]}]},
            f"{NO_SCHEMA} [json-pointer:/blocks/0/elements/0/elements/0]",
        ),
        (
            {"type": "markdown"},
            "missing required field: text [json-pointer:/blocks/0]",
        ),
        (rich_text(kind="text"), f"{NO_SCHEMA} [json-pointer:/blocks/0/elements/0]"),
        ({"type": "image"}, "unsupported type: image [json-pointer:/blocks/0/type]"),
        ({}, "unsupported type: None [json-pointer:/blocks/0/type]"),
        ("divider", "must provide an object [json-pointer:/blocks/0]"),
        (
            {"type": "divider", "text": plain()},
            "invalid additional property: text [json-pointer:/blocks/0]",
        ),
        (
            {"type": "divider", "block_id": "b" * 256},
            "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
        ),
    ],
)
def test_a_block_past_a_limit_is_refused_with_its_place(
    slack: SlackStandIn, block: object, problem: str
) -> None:
    assert refusal(slack, block) == [problem]


@pytest.mark.parametrize(
    ("block", "pointer", "problem"),
    [
        (section(3_001), "/blocks/1/text", "must be less than 3001 characters"),
        (section(0), "/blocks/1/text", EMPTY),
        (fields(1, 2_001), "/blocks/1/fields/0", "must be less than 2001 characters"),
        (context(1, 3_001), "/blocks/1/elements/0", "must be less than 3001 characters"),
    ],
)
def test_where_two_kinds_of_text_fit_slack_says_first_that_neither_did(
    slack: SlackStandIn, block: Json, pointer: str, problem: str
) -> None:
    assert refusal(slack, {"type": "divider"}, block) == [
        f"{NO_SCHEMA} [json-pointer:{pointer}]",
        f"{problem} [json-pointer:{pointer}/text]",
    ]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (
            {"type": "raw_text", "text": ""},
            f"{EMPTY} [json-pointer:/blocks/0/rows/1/0/text]",
        ),
        (
            {"type": "raw_text", "text": 3},
            "must provide a string [json-pointer:/blocks/0/rows/1/0/text]",
        ),
        (
            {"type": "raw_text", "text": "x", "emoji": True},
            "invalid additional property: emoji [json-pointer:/blocks/0/rows/1/0]",
        ),
        (
            rich_text(""),
            f"{EMPTY} [json-pointer:/blocks/0/rows/1/0/elements/0/elements/0/text]",
        ),
    ],
)
def test_an_empty_or_odd_cell_fails_its_table(
    slack: SlackStandIn, cell: Json, problem: str
) -> None:
    grid = {"type": "table", "rows": [[{"type": "raw_text", "text": "Title"}], [cell]]}
    no_schema = "failed to match any allowed schemas [json-pointer:/blocks/0/rows/1/0]"
    assert refusal(slack, grid) == [no_schema, problem]


def test_a_cell_of_another_type_fits_no_schema(slack: SlackStandIn) -> None:
    assert refusal(slack, {"type": "table", "rows": [[mrkdwn()]]}) == [
        "failed to match any allowed schemas [json-pointer:/blocks/0/rows/0/0]"
    ]


def test_emoji_is_no_property_of_mrkdwn(slack: SlackStandIn) -> None:
    block = {"type": "section", "text": {**mrkdwn(), "emoji": True}}
    assert "invalid additional property: emoji [json-pointer:/blocks/0/text]" in refusal(
        slack, block
    )


def test_every_problem_of_every_block_is_named(slack: SlackStandIn) -> None:
    assert len(refusal(slack, header(151), {"type": "image"}, context(11))) == 3


def test_a_message_has_50_blocks_at_most(slack: SlackStandIn) -> None:
    problems = refusal(slack, *[{"type": "divider"}] * 51)
    assert problems == ["no more than 50 items allowed [json-pointer:/blocks]"]


def test_a_message_has_one_table_at_most(slack: SlackStandIn) -> None:
    answer = post(slack, table(), table())
    assert answer["error"] == "invalid_attachments"
    assert answer["response_metadata"]["messages"] == ["[ERROR] only_one_table_allowed"]


def test_all_blocks_of_a_message_together_have_a_limit_too(slack: SlackStandIn) -> None:
    answer = post(slack, *[section(3_000)] * 4, section(1_001))
    assert answer["error"] == "msg_blocks_too_long"
    assert slack.messages == ()


def test_an_update_obeys_the_same_limits(slack: SlackStandIn) -> None:
    ts = post(slack, header())["ts"]
    client = WebClient("xoxb-devstack", base_url=slack.base_url)
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        client.chat_update(channel="C0DEVSTACK", ts=ts, text="x", blocks=[header(151)])
    assert slack.messages[0].blocks == (header(),)
