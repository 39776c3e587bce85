"""The outputs in memory: the bucket, the channel, and the sorter of their CSV files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.domain.errors import DeliveryError, FileRefused, ThreadGone
from chalicelib.domain.finding import Finding, worst_first
from chalicelib.reports.slack_blocks import Rendered
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
    """`Channel`: where people read. `posts` and `attachments` show what it received.

    `id` and `token` can be replaced. `takes_files` is whether it accepts files.
    """

    def __init__(
        self,
        channel_id: str = "C0MEMORY",
        token: str = "xoxb-memory",  # noqa: S107 - the token of a fake, no secret
    ) -> None:
        self.id = channel_id
        self.token = token
        self.takes_files = True
        self._locked: set[str] = set()
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

    def identity(self) -> str:
        """Returns 16 hexadecimal digits that change with the channel and with the token."""
        return sha256(f"{self.id}\n{self.token}".encode()).hexdigest()[:16]

    def lock_thread(self, thread: str) -> None:
        """Lets the thread take no more replies and files."""
        self._locked.add(thread)

    def fail_post(self, error: DeliveryError, times: int = 1) -> None:
        """Raises this error in the next calls of `post`."""
        self._post_errors.add(error, times)

    def fail_attach(self, error: DeliveryError, times: int = 1) -> None:
        """Raises this error in the next calls of `attach`."""
        self._attach_errors.add(error, times)

    def post(self, rendered: Rendered, thread: str | None = None) -> str:
        """Posts a message and returns its thread id: `thread-<n>` or `reply-<n>`, from 1."""
        self._post_errors.raise_next()
        self._check_thread(thread)
        if thread is not None:
            self._replies.append((thread, rendered))
            return f"reply-{len(self._replies)}"
        self._posts.append(rendered)
        return f"thread-{len(self._posts)}"

    def attach(self, thread: str | None, name: str, title: str, content: bytes) -> str:
        """Puts a file somewhere and returns the file's id: `file-<n>`, counted from 1."""
        self._attach_errors.raise_next()
        if not self.takes_files:
            raise FileRefused("file_uploads_disabled", "allow file uploads")
        self._check_thread(thread)
        self._attachments.append(Attachment(thread, name, title, content))
        return f"file-{len(self._attachments)}"

    def _check_thread(self, thread: str | None) -> None:
        if thread in self._locked:
            raise ThreadGone("restricted_action_thread_locked", "the thread is locked")


class MemorySorter:
    """`Sorter`: sorts findings in memory."""

    def worst_first(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Sorts by `domain.finding.worst_first`."""
        return tuple(sorted(findings, key=worst_first))
