"""Slack's limits on blocks, and its error messages for blocks past a limit."""

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


def build_plain(length: int = 1) -> Json:
    return {"type": "plain_text", "text": "x" * length}


def build_mrkdwn(length: int = 1) -> Json:
    return {"type": "mrkdwn", "text": "x" * length}


def build_header(length: int = 1) -> Json:
    return {"type": "header", "text": build_plain(length)}


def build_section(length: int = 1) -> Json:
    return {"type": "section", "text": build_mrkdwn(length)}


def build_fields(number: int, length: int = 1) -> Json:
    return {"type": "section", "fields": [build_mrkdwn(length)] * number}


def build_context(number: int, length: int = 1) -> Json:
    return {"type": "context", "elements": [build_plain(length)] * number}


def build_actions(number: int, length: int = 1) -> Json:
    return {
        "type": "actions",
        "elements": [{"type": "button", "text": build_plain(length)}] * number,
    }


def build_table(rows: int = 1, columns: int = 1, length: int = 1, **extra: Any) -> Json:
    cell = {"type": "raw_text", "text": "x" * length}
    return {"type": "table", "rows": [[cell] * columns for _ in range(rows)], **extra}


def build_rich_text(text: str = "x", kind: str = "rich_text_section") -> Json:
    elements = [{"type": "text", "text": text}]
    return {"type": "rich_text", "elements": [{"type": kind, "elements": elements}]}


def build_bullets(items: list[Json]) -> Json:
    return {"type": "rich_text_list", "style": "bullet", "elements": items}


def build_markdown(length: int = 1) -> Json:
    return {"type": "markdown", "text": "x" * length}


def post(slack: SlackStandIn, *blocks: object) -> Json:
    """Post blocks and return the response, a refusal or not."""
    client = WebClient("xoxb-devstack", base_url=slack.base_url)
    try:
        response = client.chat_postMessage(channel="C0DEVSTACK", text="x", blocks=list(blocks))  # type: ignore[arg-type] # wrong blocks on purpose
    except SlackApiError as error:
        response = error.response
    assert isinstance(response.data, dict)
    return response.data


def post_refused(slack: SlackStandIn, *blocks: object) -> list[str]:
    """Post invalid blocks and return the problems that the refusal names."""
    response = post(slack, *blocks)
    assert response["error"] == "invalid_blocks"
    assert response["response_metadata"]["messages"] == [f"[ERROR] {e}" for e in response["errors"]]
    assert slack.messages == ()
    return list(response["errors"])


@pytest.mark.parametrize(
    "blocks",
    [
        [build_header(150)],
        [build_section(3_000)],
        [build_fields(10)],
        [build_fields(1, 2_000)],
        [build_context(10)],
        [build_context(1, 3_000)],
        [build_actions(25)],
        [build_actions(1, 75)],
        [build_markdown(12_000)],
        [build_rich_text()],
        [{"type": "rich_text", "elements": [build_bullets(build_rich_text()["elements"])]}],
        [build_table(100, 1)],
        [build_table(1, 20)],
        [build_table(10, 10, 100)],
        [build_table(2, 2, column_settings=[{"align": "right", "is_wrapped": True}, None])],
        [{"type": "table", "rows": [[build_rich_text()]]}],
        [{"type": "divider", "block_id": "b" * 255}],
        [{"type": "divider"}] * 50,
        [build_section(3_000)] * 4 + [build_section(1_000)],
    ],
)
def test_blocks_at_their_limits_are_accepted(slack: SlackStandIn, blocks: list[Json]) -> None:
    assert post(slack, *blocks)["ok"]
    assert slack.messages[0].blocks == tuple(blocks)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (build_header(151), "must be less than 151 characters [json-pointer:/blocks/0/text/text]"),
        (build_header(0), f"{EMPTY} [json-pointer:/blocks/0/text/text]"),
        ({"type": "header"}, "missing required field: text [json-pointer:/blocks/0]"),
        (
            {"type": "header", "text": build_mrkdwn()},
            "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
        ),
        ({"type": "header", "text": "x"}, "must provide an object [json-pointer:/blocks/0/text]"),
        (
            {"type": "section"},
            "must define either `text` or `fields` [json-pointer:/blocks/0/type]",
        ),
        (build_fields(11), "no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
        (build_context(11), "no more than 10 items allowed [json-pointer:/blocks/0/elements]"),
        (build_context(0), "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
        ({"type": "context"}, "must provide an array [json-pointer:/blocks/0/elements]"),
        (build_actions(26), "no more than 25 items allowed [json-pointer:/blocks/0/elements]"),
        (
            build_actions(1, 76),
            "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
        ),
        (
            {"type": "actions", "elements": [{"type": "lever"}]},
            f"{NO_SCHEMA} [json-pointer:/blocks/0/elements/0]",
        ),
        (
            build_markdown(12_001),
            "must be less than 12001 characters [json-pointer:/blocks/0/text]",
        ),
        ({"type": "table"}, "missing required field: rows [json-pointer:/blocks/0]"),
        (build_table(101), "no more than 100 items allowed [json-pointer:/blocks/0/rows]"),
        (build_table(1, 21), "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"),
        (build_table(1, 0), "no fewer than 1 items allowed [json-pointer:/blocks/0/rows/0]"),
        (
            build_table(11, 10, 91),
            "must be less than 10001 characters [json-pointer:/blocks/0/rows]",
        ),
        (
            build_table(column_settings=[{"align": "middle"}]),
            "must be one of: left, center, right [json-pointer:/blocks/0/column_settings/0/align]",
        ),
        (
            build_table(column_settings=[{"is_wrapped": "yes"}]),
            "must provide a boolean [json-pointer:/blocks/0/column_settings/0/is_wrapped]",
        ),
        (
            build_table(column_settings=["left"]),
            "must provide an object [json-pointer:/blocks/0/column_settings/0]",
        ),
        (
            {"type": "rich_text"},
            "missing required field: elements [json-pointer:/blocks/0]",
        ),
        (
            build_rich_text(""),
            f"{EMPTY} [json-pointer:/blocks/0/elements/0/elements/0/text]",
        ),
        (
            {"type": "rich_text", "elements": [build_bullets([{"type": "text", "text": "x"}])]},
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
        (build_rich_text(kind="text"), f"{NO_SCHEMA} [json-pointer:/blocks/0/elements/0]"),
        ({"type": "image"}, "unsupported type: image [json-pointer:/blocks/0/type]"),
        ({}, "unsupported type: None [json-pointer:/blocks/0/type]"),
        ("divider", "must provide an object [json-pointer:/blocks/0]"),
        (
            {"type": "divider", "text": build_plain()},
            "invalid additional property: text [json-pointer:/blocks/0]",
        ),
        (
            {"type": "divider", "block_id": "b" * 256},
            "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
        ),
    ],
)
def test_a_block_past_a_limit_is_refused_with_a_pointer_to_it(
    slack: SlackStandIn, block: object, problem: str
) -> None:
    assert post_refused(slack, block) == [problem]


@pytest.mark.parametrize(
    ("block", "pointer", "problem"),
    [
        (build_section(3_001), "/blocks/1/text", "must be less than 3001 characters"),
        (build_section(0), "/blocks/1/text", EMPTY),
        (build_fields(1, 2_001), "/blocks/1/fields/0", "must be less than 2001 characters"),
        (build_context(1, 3_001), "/blocks/1/elements/0", "must be less than 3001 characters"),
    ],
)
def test_a_bad_text_of_two_allowed_kinds_is_first_reported_as_a_schema_mismatch(
    slack: SlackStandIn, block: Json, pointer: str, problem: str
) -> None:
    assert post_refused(slack, {"type": "divider"}, block) == [
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
            build_rich_text(""),
            f"{EMPTY} [json-pointer:/blocks/0/rows/1/0/elements/0/elements/0/text]",
        ),
    ],
)
def test_an_invalid_cell_is_refused_with_its_table(
    slack: SlackStandIn, cell: Json, problem: str
) -> None:
    grid = {"type": "table", "rows": [[{"type": "raw_text", "text": "Title"}], [cell]]}
    no_schema = "failed to match any allowed schemas [json-pointer:/blocks/0/rows/1/0]"
    assert post_refused(slack, grid) == [no_schema, problem]


def test_a_cell_of_another_type_matches_no_schema(slack: SlackStandIn) -> None:
    assert post_refused(slack, {"type": "table", "rows": [[build_mrkdwn()]]}) == [
        "failed to match any allowed schemas [json-pointer:/blocks/0/rows/0/0]"
    ]


def test_mrkdwn_has_no_emoji_property(slack: SlackStandIn) -> None:
    block = {"type": "section", "text": {**build_mrkdwn(), "emoji": True}}
    assert "invalid additional property: emoji [json-pointer:/blocks/0/text]" in post_refused(
        slack, block
    )


def test_a_refusal_names_every_problem_of_every_block(slack: SlackStandIn) -> None:
    assert len(post_refused(slack, build_header(151), {"type": "image"}, build_context(11))) == 3


def test_a_message_has_at_most_50_blocks(slack: SlackStandIn) -> None:
    problems = post_refused(slack, *[{"type": "divider"}] * 51)
    assert problems == ["no more than 50 items allowed [json-pointer:/blocks]"]


def test_a_message_has_at_most_one_table(slack: SlackStandIn) -> None:
    response = post(slack, build_table(), build_table())
    assert response["error"] == "invalid_attachments"
    assert response["response_metadata"]["messages"] == ["[ERROR] only_one_table_allowed"]


def test_the_text_of_all_blocks_together_has_a_limit_too(slack: SlackStandIn) -> None:
    response = post(slack, *[build_section(3_000)] * 4, build_section(1_001))
    assert response["error"] == "msg_blocks_too_long"
    assert slack.messages == ()


def test_an_update_has_the_same_limits(slack: SlackStandIn) -> None:
    ts = post(slack, build_header())["ts"]
    client = WebClient("xoxb-devstack", base_url=slack.base_url)
    with pytest.raises(SlackApiError, match="invalid_blocks"):
        client.chat_update(channel="C0DEVSTACK", ts=ts, text="x", blocks=[build_header(151)])
    assert slack.messages[0].blocks == (build_header(),)
