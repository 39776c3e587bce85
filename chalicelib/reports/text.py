"""Puts values into words, and makes text from scanned hosts harmless to show.

Titles, authors and comments may hold anything. Line breaks would forge lines of a
message or rows of a file, bidirectional controls would show text in another order,
NUL ends a cell in some programs, and a title can quote a password.
"""

import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from chalicelib.domain.finding import Severity
from chalicelib.domain.summary import NamedNodes
from chalicelib.reports.secrets import HINTS, mask_secrets

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def visible(text: str) -> str:
    """Returns text as people see it. Visible text stays as it is.

    White space becomes spaces, controls become U+FFFD, format characters are dropped, and
    passwords and tokens are masked. Every other character stays in its place.
    """
    if not text.isprintable():
        text = text.translate({ord(character): _replace(character) for character in set(text)})
    return mask_secrets(text) if HINTS.search(text.lower()) else text


def _replace(character: str) -> str:
    if character.isspace():
        return " "
    match unicodedata.category(character):
        case "Cc" | "Cs":  # control characters, and halves of a surrogate pair
            return REPLACEMENT
        case "Cf":  # bidirectional controls, zero-width characters, tags
            return ""
        case _:
            return character


def one_line(text: str, longest: int) -> str:
    """Returns visible text with single spaces, cut to `longest` characters; never empty."""
    return cut(" ".join(visible(text).split()) or "(blank)", longest)


def cut(text: str, longest: int) -> str:
    """Returns the text, or its beginning and an ellipsis: `longest` characters at most."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + ELLIPSIS


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
