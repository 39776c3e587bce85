"""The channel's messages: posted, replied to, edited."""

from collections.abc import Callable
from dataclasses import replace
from threading import RLock

from devstack.slack.call import RefusedError
from devstack.slack.model import File, Json, Message

BOT_USER_ID = "U0DEVSTACK"


class Channel:
    """Messages of one channel, safe to use from several threads.

    `clock` gives seconds since 1970. Ids are unique and rise, even where the clock stands
    still: they count on in steps of 100 microseconds.
    """

    def __init__(self, channel_id: str, name: str, clock: Callable[[], float]) -> None:
        self.id = channel_id
        self.name = name
        self._clock = clock
        self._lock = RLock()
        self._messages: dict[str, Message] = {}
        self._latest = 0

    @property
    def messages(self) -> tuple[Message, ...]:
        """Give all messages, oldest first, thread replies among them."""
        with self._lock:
            return tuple(self._messages.values())

    def post(
        self,
        text: str,
        blocks: tuple[Json, ...] = (),
        *,
        thread_ts: str | None = None,
        files: tuple[File, ...] = (),
    ) -> Message:
        """Add a message.

        Raises `RefusedError` (thread_not_found) where `thread_ts` is no message of the
        channel itself. Slack lets a reply's ts pass and mislays the message; this refuses.
        """
        with self._lock:
            if thread_ts is not None:
                self._parent(thread_ts)
            message = Message(self._next_ts(), self.id, BOT_USER_ID, text, blocks, thread_ts, files)
            self._messages[message.ts] = message
            return message

    def edit(self, ts: str, text: str | None, blocks: tuple[Json, ...] | None) -> Message:
        """Change a message; None leaves the text or the blocks as they are.

        Raises `RefusedError` (message_not_found).
        """
        with self._lock:
            old = self._messages.get(ts)
            if old is None:
                raise RefusedError("message_not_found")
            new = replace(
                old,
                text=old.text if text is None else text,
                blocks=old.blocks if blocks is None else blocks,
                edited=True,
            )
            self._messages[ts] = new
            return new

    def thread(self, ts: str) -> tuple[Message, ...]:
        """Give a message and its replies, or raise `RefusedError` (thread_not_found)."""
        with self._lock:
            parent = self._parent(ts)
            replies = (each for each in self._messages.values() if each.thread_ts == ts)
            return (parent, *replies)

    def clear(self) -> None:
        """Forget all messages; ids keep rising."""
        with self._lock:
            self._messages.clear()

    def _parent(self, ts: str) -> Message:
        parent = self._messages.get(ts)
        if parent is None or parent.thread_ts is not None:
            raise RefusedError("thread_not_found")
        return parent

    def _next_ts(self) -> str:
        self._latest = max(int(self._clock() * 1_000_000), self._latest + 100)
        seconds, microseconds = divmod(self._latest, 1_000_000)
        return f"{seconds}.{microseconds:06d}"
