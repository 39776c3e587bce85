"""What the page shows of a message: its time, its replies, its file cards. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from devstack.slack.csv_preview import Preview, preview_of
from devstack.slack.model import File, Message

_KILO = 1024


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


def posts_of(messages: tuple[Message, ...]) -> tuple[Post, ...]:
    """Arrange messages, oldest first, into posts with their threads under them."""
    posts: list[Post] = []
    for message in messages:
        if message.thread_ts is None:
            replies = tuple(_post(each) for each in messages if each.thread_ts == message.ts)
            opens = not posts or posts[-1].at.date() != _time(message).date()
            posts.append(_post(message, replies, opens_day=opens))
    return tuple(posts)


def post_with_ts(posts: tuple[Post, ...], ts: str) -> Post | None:
    """Find a post or a reply by its id."""
    everything = (each for post in posts for each in (post, *post.replies))
    return next((post for post in everything if post.message.ts == ts), None)


def _post(message: Message, replies: tuple[Post, ...] = (), *, opens_day: bool = False) -> Post:
    cards = tuple(Card(file, _size(file.size), preview_of(file)) for file in message.files)
    return Post(message, _time(message), cards, replies, opens_day)


def _time(message: Message) -> datetime:
    return datetime.fromtimestamp(float(message.ts), UTC)


def _size(size: int) -> str:
    if size < _KILO:
        return f"{size} bytes"
    if size < _KILO * _KILO:
        return f"{size / _KILO:.1f} kB"
    return f"{size / _KILO / _KILO:.1f} MB"
