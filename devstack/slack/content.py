"""What any text of a block looks like to a reader, as spans."""

from devstack.slack.emoji import with_emoji
from devstack.slack.model import Json
from devstack.slack.mrkdwn import parse_mrkdwn
from devstack.slack.rich_text import parse_rich_text
from devstack.slack.spans import Span


def spans_of(value: Json) -> tuple[Span, ...]:
    """Read a text object, a table cell, or a rich_text or markdown block.

    Only mrkdwn and rich text have markup here: plain text keeps its `<` and `*` and shows
    emoji, raw text is literal, and so, unlike in Slack, is a markdown block.
    """
    if value["type"] == "mrkdwn":
        return parse_mrkdwn(value["text"])
    if value["type"] == "rich_text":
        return parse_rich_text(value)
    if value["type"] == "plain_text" and value.get("emoji", True):
        return (Span(with_emoji(value["text"])),)
    return (Span(value["text"]),)
