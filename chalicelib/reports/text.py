"""Makes text from scanned hosts harmless to look at: one line, in its own order, of a known length.

Titles, authors and comments may hold anything. Line breaks would forge lines of a
message or rows of a file, bidirectional controls would show text in another order than
it is, and NUL ends a cell in some programs.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from chalicelib.domain.finding import Severity
from chalicelib.domain.message import MAX_ATTACHED_ROWS

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def visible(text: str) -> str:
    """White space becomes spaces, other controls U+FFFD, invisible format characters go.

    Every other character stays, in its place.
    """
    if text.isprintable():
        return text
    return text.translate({ord(character): _visible(character) for character in set(text)})


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    match unicodedata.category(character):
        case "Cc" | "Cs":  # control characters, and halves of a pair that UTF-8 cannot hold
            return REPLACEMENT
        case "Cf":  # bidirectional controls, zero-width characters, tags
            return ""
        case _:
            return character


def one_line(text: str, longest: int) -> str:
    """Visible text with single spaces, cut to `longest` characters; never empty."""
    return cut(" ".join(visible(text).split()) or "(blank)", longest)


def cut(text: str, longest: int) -> str:
    """The text where it fits, else its beginning and an ellipsis: `longest` characters at most."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + ELLIPSIS


# More nodes than this are a number, not names.
NAMED_NODES = 10
# A key of S3 has 1,024 bytes at most.
KEY_TEXT = 1_000
# An id of a managed instance has 20 characters; anything longer is not one.
NODE_TEXT = 40


def format_count(number: int, one: str, many: str) -> str:
    """`1 node`, `1,204 nodes`."""
    return f"{number:,} {one if number == 1 else many}"


def format_nodes(number: int) -> str:
    """A number of nodes."""
    return format_count(number, "node", "nodes")


def format_findings(number: int) -> str:
    """A number of findings."""
    return format_count(number, "finding", "findings")


def format_share(number: int, known: int) -> str:
    """A share of the known nodes."""
    return f"{number:,} of {known:,} known"


def format_severities(by_severity: Mapping[Severity, int]) -> str:
    """`2 critical, 4 high`, worst first; empty where nothing is counted."""
    worst_first = sorted(by_severity, key=lambda severity: severity.rank)
    counted = (severity for severity in worst_first if by_severity[severity])
    return ", ".join(f"{by_severity[severity]:,} {severity.lower()}" for severity in counted)


def format_total(by_severity: Mapping[Severity, int]) -> str:
    """`6 (2 critical, 4 high)`, `4 high`, or `0`."""
    words = format_severities(by_severity)
    return f"{sum(by_severity.values()):,} ({words})" if "," in words else words or "0"


def point_to_csv(total: int, csv_key: str) -> str:
    """Where the rows of a CSV are that has more of them than a thread gets."""
    return (
        f"The CSV in the thread has the worst {MAX_ATTACHED_ROWS:,} of {format_findings(total)}. "
        f"All of them are in S3: {one_line(csv_key, KEY_TEXT)}"
    )


def format_names(instance_ids: Sequence[str]) -> str:
    """`i-1, i-2 and 8 more`: at most ten names in the order given, then a number."""
    names = ", ".join(one_line(each, NODE_TEXT) for each in instance_ids[:NAMED_NODES])
    more = len(instance_ids) - NAMED_NODES
    return f"{names} and {more:,} more" if more > 0 else names


@dataclass(frozen=True, slots=True)
class Origin:
    """The account, region and stage that every message carries; `timezone` is an IANA name."""

    account: str
    region: str
    stage: str
    timezone: str

    def local(self, at: datetime) -> str:
        """A time as its readers' clock shows it, for example `2026-11-23 08:15 UTC`."""
        # UTC needs no time zone database, which a runtime may lack
        zone = UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"

    def __str__(self) -> str:
        return f"account {self.account} · {self.region} · {self.stage}"
