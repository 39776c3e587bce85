"""ETags of snoozes: their version, and what If-Match says of it."""

import re

from chalicelib.domain.errors import BadRequest, FieldFault
from chalicelib.domain.snooze import Snooze

# Weak or strong, and without the quotes that some clients leave out.
_ETAG = re.compile(r'(?:W/)?"?([0-9]{1,9})"?')


def make_etag(snooze: Snooze) -> str:
    """The ETag of a snooze."""
    return f'"{snooze.version}"'


def parse_if_match(if_match: str | None) -> frozenset[int] | None:
    """The versions that If-Match names; None where any will do."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = [_ETAG.fullmatch(tag.strip()) for tag in if_match.split(",")]
    if not all(tags):
        text = 'Give the ETag of the snooze, such as "3", or *.'
        raise BadRequest("A header is refused.", FieldFault("If-Match", "etag", text))
    return frozenset(int(tag[1]) for tag in tags if tag)
