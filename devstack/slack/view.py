"""The values that the page shows: posts with their time, replies and file cards."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from itertools import islice

from devstack.slack.model import File, Message

SHOWN_ROWS = 8
_KILO = 1024


@dataclass(frozen=True, slots=True)
class Preview:
    """Column names, the first rows, and the number of rows that are not shown."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hidden: int


def preview_csv(file: File) -> Preview | None:
    """Read the first rows of a CSV file. None if it is not CSV, empty or unreadable."""
    if file.mimetype != "text/csv" or not file.content:
        return None
    text = file.content.decode("utf-8-sig", errors="replace")
    rows = csv.reader(StringIO(text, newline=""))
    try:
        header = next(rows, [])
        shown = tuple(tuple(row) for row in islice(rows, SHOWN_ROWS))
        return Preview(tuple(header), shown, sum(1 for _ in rows))
    except csv.Error:
        return None


@dataclass(frozen=True, slots=True)
class Card:
    """A file with its size as text, and the first rows of a CSV file."""

    file: File
    size: str
    preview: Preview | None


@dataclass(frozen=True, slots=True)
class Post:
    """A message with its time in UTC, its file cards and its replies."""

    message: Message
    at: datetime
    cards: tuple[Card, ...]
    replies: tuple["Post", ...]
    opens_day: bool = False


def build_posts(messages: tuple[Message, ...]) -> tuple[Post, ...]:
    """Arrange messages into posts, oldest first, each with the replies of its thread."""
    posts: list[Post] = []
    for message in messages:
        if message.thread_ts is None:
            replies = tuple(_build_post(each) for each in messages if each.thread_ts == message.ts)
            opens = not posts or posts[-1].at.date() != _read_time(message).date()
            posts.append(_build_post(message, replies, opens_day=opens))
    return tuple(posts)


def find_post(posts: tuple[Post, ...], ts: str) -> Post | None:
    """Find a post or a reply by the `ts` of its message."""
    everything = (each for post in posts for each in (post, *post.replies))
    return next((post for post in everything if post.message.ts == ts), None)


def _build_post(
    message: Message, replies: tuple[Post, ...] = (), *, opens_day: bool = False
) -> Post:
    cards = tuple(Card(file, _format_size(file.size), preview_csv(file)) for file in message.files)
    return Post(message, _read_time(message), cards, replies, opens_day)


def _read_time(message: Message) -> datetime:
    return datetime.fromtimestamp(float(message.ts), UTC)


def _format_size(size: int) -> str:
    if size < _KILO:
        return f"{size} bytes"
    if size < _KILO * _KILO:
        return f"{size / _KILO:.1f} kB"
    return f"{size / _KILO / _KILO:.1f} MB"
