"""Puts numbers, severities and lists into words."""

from collections.abc import Mapping, Sequence

from chalicelib.domain.finding import Severity
from chalicelib.domain.message import MAX_ATTACHED_ROWS
from chalicelib.reports.visible_text import one_line

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
