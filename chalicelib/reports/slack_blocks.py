"""Puts values into words, and builds Block Kit blocks within Slack's limits.

Text that others wrote belongs into `plain_section`, `note` and `table`, which Slack does not
parse. `mrkdwn_section` and `fields` take such text only through `escape`.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import Struct

from chalicelib.domain.finding import Severity
from chalicelib.domain.summary import NamedNodes
from chalicelib.domain.text import cut, one_line

Block: TypeAlias = Mapping[str, Any]


class Rendered(Struct, frozen=True):
    """A message as Slack shows it: blocks, and the text for notifications and plain clients."""

    text: str
    blocks: tuple[Block, ...] = ()


# Pages under docs.slack.dev/reference state these; lengths are in characters.
# block-kit/blocks: blocks of a message
BLOCKS = 50
# block-kit/blocks/header-block: text
HEADER_TEXT = 150
# block-kit/blocks/section-block: text, number of fields, text of a field
SECTION_TEXT = 3_000
FIELDS = 10
FIELD_TEXT = 2_000
# block-kit/composition-objects/text-object: any text, so also an element of a context block
CONTEXT_TEXT = 3_000
# block-kit/blocks/table-block: rows, cells of a row; a message takes one table
TABLE_ROWS = 100
TABLE_COLUMNS = 20
# Slack refuses more than about 13,000 characters (`msg_blocks_too_long`) and states the number
# nowhere; github.com/slackapi/bolt-js/issues/2509 measured it. This leaves a margin.
MESSAGE_TEXT = 10_000


def escape(text: str) -> str:
    """Escapes text for mrkdwn, so that it becomes no link, mention or ping.

    docs.slack.dev/messaging/formatting-message-text: these three characters, nothing else.
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def header(text: str) -> Block:
    """Builds a headline."""
    return {"type": "header", "text": _plain_text(text, HEADER_TEXT)}


def mrkdwn_section(mrkdwn: str) -> Block:
    """Builds a paragraph of our own words, in mrkdwn."""
    return {"type": "section", "text": _mrkdwn(mrkdwn, SECTION_TEXT)}


def plain_section(text: str) -> Block:
    """Builds a paragraph that shows exactly its text."""
    return {"type": "section", "text": _plain_text(text, SECTION_TEXT)}


def fields(values: Iterable[tuple[str, str]]) -> Block:
    """Builds labels and values (mrkdwn) in two columns."""
    texts = [_mrkdwn(f"*{label}*\n{value}", FIELD_TEXT) for label, value in values]
    return {"type": "section", "fields": texts[:FIELDS]}


def note(text: str) -> Block:
    """Builds small print that shows exactly its text."""
    return {"type": "context", "elements": [_plain_text(text, CONTEXT_TEXT)]}


def table(rows: Sequence[Sequence[str]], columns: Sequence[Block]) -> Block:
    """Builds a table whose cells show exactly their text. No cell may be empty."""
    return {
        "type": "table",
        "column_settings": list(columns[:TABLE_COLUMNS]),
        "rows": [
            [{"type": "raw_text", "text": cell} for cell in row[:TABLE_COLUMNS]]
            for row in rows[:TABLE_ROWS]
        ],
    }


def build_message(text: str, blocks: Sequence[Block]) -> Rendered:
    """Builds a message. Notifications show `text`, which is escaped here."""
    return Rendered(escape(text), tuple(blocks[:BLOCKS]))


def count_characters(message: Rendered) -> int:
    """Counts the characters of a message as it is sent."""
    return len(message.text) + len(json.dumps(message.blocks, ensure_ascii=False))


def fit(build: Callable[[int], Rendered], most: int) -> Rendered:
    """Builds the message with the longest lists, `most` entries at most, that Slack accepts."""
    shorter = (build(entries) for entries in range(most, 0, -1))
    return next(
        (message for message in shorter if count_characters(message) < MESSAGE_TEXT), build(0)
    )


def _plain_text(text: str, longest: int) -> Block:
    return {"type": "plain_text", "text": cut(text, longest), "emoji": False}


def _mrkdwn(text: str, longest: int) -> Block:
    # verbatim: Slack turns no word into a link, a channel or a mention
    return {"type": "mrkdwn", "text": cut(text, longest), "verbatim": True}


# The file in a thread holds at most this many rows, the worst ones. The file in the bucket is
# complete. These rows are some 5 MB, which upload within the timeout of one request to Slack.
MAX_ATTACHED_ROWS = 20_000
# Characters. An S3 key has at most 1,024 bytes.
KEY_TEXT = 1_000
# Characters. The id of a managed instance has 20.
NODE_TEXT = 40


def format_count(number: int, one: str, many: str) -> str:
    """Returns a count with its noun: `1 node`, `1,204 nodes`."""
    return f"{number:,} {one if number == 1 else many}"


def format_nodes(number: int) -> str:
    """Returns a count of nodes."""
    return format_count(number, "node", "nodes")


def format_findings(number: int) -> str:
    """Returns a count of findings."""
    return format_count(number, "finding", "findings")


def format_share(number: int, known: int) -> str:
    """Returns a share of the known nodes: `118 of 120 known`."""
    return f"{number:,} of {known:,} known"


def format_severities(by_severity: Mapping[Severity, int]) -> str:
    """Returns `2 critical, 4 high`, worst first; empty if nothing is counted."""
    worst_first = sorted(by_severity, key=lambda severity: severity.rank)
    counted = (severity for severity in worst_first if by_severity[severity])
    return ", ".join(f"{by_severity[severity]:,} {severity.lower()}" for severity in counted)


def format_total(by_severity: Mapping[Severity, int]) -> str:
    """Returns `6 (2 critical, 4 high)`, `4 high`, or `0`."""
    words = format_severities(by_severity)
    return f"{sum(by_severity.values()):,} ({words})" if "," in words else words or "0"


def point_to_csv(total: int, csv_key: str) -> str:
    """Says where all rows are if the CSV in the thread has only the worst."""
    return (
        f"The CSV in the thread has the worst {MAX_ATTACHED_ROWS:,} of {format_findings(total)}. "
        f"The complete CSV is in S3: {one_line(csv_key, KEY_TEXT)}"
    )


def format_names(nodes: NamedNodes) -> str:
    """Returns the names, then a count of the others: `i-1, i-2 and 8 more`."""
    names = ", ".join(one_line(each, NODE_TEXT) for each in nodes.names)
    more = nodes.count - len(nodes.names)
    return f"{names} and {more:,} more" if more > 0 else names


class Origin(Struct, frozen=True):
    """The account, region and stage that every message shows. `timezone` is an IANA name."""

    account: str
    region: str
    stage: str
    timezone: str

    def local(self, at: datetime) -> str:
        """Returns a time in the readers' zone, such as `2026-11-23 08:15 UTC`."""
        # UTC works without a time zone database, which a runtime may lack
        zone = UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"

    def __str__(self) -> str:
        return f"account {self.account} · {self.region} · {self.stage}"
