"""What the page shows of a message: its time, its replies, its file cards. Pure."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from itertools import islice

from devstack.slack.model import File, Message

_KILO = 1024


@dataclass(frozen=True, slots=True)
class Preview:
    """Column names, the first rows, and the number of rows that are not shown."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    hidden: int


def preview_csv(file: File) -> Preview | None:
    """Read the beginning of a CSV file; None where it is no CSV, empty or not readable."""
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
    """A file with its size in words and, for CSV, its first rows."""

    file: File
    size: str
    preview: Preview | None


@dataclass(frozen=True, slots=True)
class Post:
    """A message with its time in UTC, its cards and the posts of its thread."""

    message: Message
    at: datetime
    cards: tuple[Card, ...]
    replies: tuple["Post", ...]
    opens_day: bool = False


def build_posts(messages: tuple[Message, ...]) -> tuple[Post, ...]:
    """Arrange messages, oldest first, into posts with their threads under them."""
    posts: list[Post] = []
    for message in messages:
        if message.thread_ts is None:
            replies = tuple(_post(each) for each in messages if each.thread_ts == message.ts)
            opens = not posts or posts[-1].at.date() != _time(message).date()
            posts.append(_post(message, replies, opens_day=opens))
    return tuple(posts)


def find_post(posts: tuple[Post, ...], ts: str) -> Post | None:
    """Find a post or a reply by its id."""
    everything = (each for post in posts for each in (post, *post.replies))
    return next((post for post in everything if post.message.ts == ts), None)


def _post(message: Message, replies: tuple[Post, ...] = (), *, opens_day: bool = False) -> Post:
    cards = tuple(Card(file, _size(file.size), preview_csv(file)) for file in message.files)
    return Post(message, _time(message), cards, replies, opens_day)


def _time(message: Message) -> datetime:
    return datetime.fromtimestamp(float(message.ts), UTC)


def _size(size: int) -> str:
    if size < _KILO:
        return f"{size} bytes"
    if size < _KILO * _KILO:
        return f"{size / _KILO:.1f} kB"
    return f"{size / _KILO / _KILO:.1f} MB"


SHOWN_ROWS = 8
