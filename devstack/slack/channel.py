"""One channel: it posts, threads and edits messages."""

from collections.abc import Callable
from dataclasses import replace
from threading import RLock

from devstack.slack.call import RefusedError
from devstack.slack.model import File, Json, Message

BOT_USER_ID = "U0DEVSTACK"


class Channel:
    """The messages of one channel, safe to use from several threads.

    `clock` returns seconds since 1970. Message ids are unique and rise, even if the clock
    stands still: each is at least 100 microseconds after the one before.
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
        """All messages, oldest first, replies included."""
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
        """Add a message, or raise `RefusedError` (thread_not_found).

        `thread_ts` must name a message of the channel itself. Slack accepts the `ts` of a
        reply, but then the message is hard to find, so the stand-in refuses it.
        """
        with self._lock:
            if thread_ts is not None:
                self._find_parent(thread_ts)
            message = Message(self._next_ts(), self.id, BOT_USER_ID, text, blocks, thread_ts, files)
            self._messages[message.ts] = message
            return message

    def edit(self, ts: str, text: str | None, blocks: tuple[Json, ...] | None) -> Message:
        """Change a message. None leaves its text or its blocks unchanged.

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

    def read_thread(self, ts: str) -> tuple[Message, ...]:
        """Return a message and its replies, or raise `RefusedError` (thread_not_found)."""
        with self._lock:
            parent = self._find_parent(ts)
            replies = (each for each in self._messages.values() if each.thread_ts == ts)
            return (parent, *replies)

    def clear(self) -> None:
        """Forget all messages. Ids keep rising."""
        with self._lock:
            self._messages.clear()

    def _find_parent(self, ts: str) -> Message:
        parent = self._messages.get(ts)
        if parent is None or parent.thread_ts is not None:
            raise RefusedError("thread_not_found")
        return parent

    def _next_ts(self) -> str:
        self._latest = max(int(self._clock() * 1_000_000), self._latest + 100)
        seconds, microseconds = divmod(self._latest, 1_000_000)
        return f"{seconds}.{microseconds:06d}"
