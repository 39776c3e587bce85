"""The outputs in memory: the bucket, the channel, and the sorter of their CSV files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.finding import Finding, worst_first
from chalicelib.domain.message import Rendered
from tests.fakes.faults import QueuedErrors


class MemoryFiles:
    """`Files`: the bucket of CSV files. `objects` shows its content."""

    def __init__(self) -> None:
        self._objects: dict[str, bytes] = {}
        self._errors = QueuedErrors()

    @property
    def objects(self) -> Mapping[str, bytes]:
        """A copy of what is stored, by key."""
        return dict(self._objects)

    def fail(self, error: DeliveryError, times: int = 1) -> None:
        """Raises this error in the next calls of `put` or `get`."""
        self._errors.add(error, times)

    def put(self, key: str, content: Iterable[bytes]) -> None:
        """Stores or replaces."""
        self._errors.raise_next()
        self._objects[key] = b"".join(content)

    def get(self, key: str) -> Iterator[bytes]:
        """Reads what is stored. Fails at once if there is nothing."""
        self._errors.raise_next()
        if key not in self._objects:
            raise DeliveryError("NoSuchKey", retryable=False)
        return iter([self._objects[key]])


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in a thread, or in the channel if `thread` is None."""

    thread: str | None
    name: str
    title: str
    content: bytes


class MemoryChannel:
    """`Channel`: where people read. `posts` and `attachments` show what it received."""

    def __init__(self) -> None:
        self._posts: list[Rendered] = []
        self._replies: list[tuple[str, Rendered]] = []
        self._attachments: list[Attachment] = []
        self._post_errors = QueuedErrors()
        self._attach_errors = QueuedErrors()

    @property
    def posts(self) -> tuple[Rendered, ...]:
        """The messages posted into the channel, oldest first."""
        return tuple(self._posts)

    @property
    def replies(self) -> tuple[tuple[str, Rendered], ...]:
        """The messages posted into threads, each with its thread, oldest first."""
        return tuple(self._replies)

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """The files attached, oldest first."""
        return tuple(self._attachments)

    def fail_post(self, error: DeliveryError, times: int = 1) -> None:
        """Raises this error in the next calls of `post`."""
        self._post_errors.add(error, times)

    def fail_attach(self, error: DeliveryError, times: int = 1) -> None:
        """Raises this error in the next calls of `attach`."""
        self._attach_errors.add(error, times)

    def post(self, rendered: Rendered, thread: str | None = None) -> str:
        """Posts a message and returns its thread id: `thread-<n>` or `reply-<n>`, from 1."""
        self._post_errors.raise_next()
        if thread is not None:
            self._replies.append((thread, rendered))
            return f"reply-{len(self._replies)}"
        self._posts.append(rendered)
        return f"thread-{len(self._posts)}"

    def attach(self, thread: str | None, name: str, title: str, content: bytes) -> str:
        """Puts a file somewhere and returns the file's id: `file-<n>`, counted from 1."""
        self._attach_errors.raise_next()
        self._attachments.append(Attachment(thread, name, title, content))
        return f"file-{len(self._attachments)}"


class MemorySorter:
    """`Sorter`: sorts findings in memory."""

    def worst_first(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Sorts by `domain.finding.worst_first`."""
        return tuple(sorted(findings, key=worst_first))
