"""One channel: it posts, threads, edits, deletes and locks messages."""

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
        self._deleted: set[str] = set()
        self._locked: set[str] = set()
        self._latest = 0
        self.takes_files = True

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
        """Add a message.

        Raises `RefusedError` (thread_not_found, restricted_action_thread_locked). `thread_ts`
        must name a message of the channel itself. Slack accepts the `ts` of a reply, but then
        the message is hard to find, so the stand-in refuses it. Slack does not refuse a reply
        to a deleted message: it posts the reply into the channel.
        """
        with self._lock:
            if thread_ts in self._deleted:
                thread_ts = None
            self._check_thread(thread_ts)
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

    def check_share(self, thread_ts: str | None) -> None:
        """Raise `RefusedError` if the channel or the thread takes no files.

        Its code is slack_connect_file_upload_sharing_blocked, thread_not_found or
        restricted_action_thread_locked.
        """
        with self._lock:
            if not self.takes_files:
                raise RefusedError("slack_connect_file_upload_sharing_blocked")
            self._check_thread(thread_ts)

    def delete(self, ts: str) -> None:
        """Delete a message and its replies, or raise `RefusedError` (message_not_found).

        Slack keeps the replies, and a thread that has some stays open to new ones.
        """
        with self._lock:
            if self._messages.pop(ts, None) is None:
                raise RefusedError("message_not_found")
            self._deleted.add(ts)
            for reply in [each for each in self._messages.values() if each.thread_ts == ts]:
                del self._messages[reply.ts]

    def lock(self, ts: str) -> None:
        """Let a thread take no more replies, or raise `RefusedError` (thread_not_found)."""
        with self._lock:
            self._locked.add(self._find_parent(ts).ts)

    def read_thread(self, ts: str) -> tuple[Message, ...]:
        """Return a message and its replies, or raise `RefusedError` (thread_not_found)."""
        with self._lock:
            parent = self._find_parent(ts)
            replies = (each for each in self._messages.values() if each.thread_ts == ts)
            return (parent, *replies)

    def clear(self) -> None:
        """Forget all messages and take files. Ids keep rising."""
        with self._lock:
            self._messages.clear()
            self._deleted.clear()
            self._locked.clear()
            self.takes_files = True

    def _check_thread(self, ts: str | None) -> None:
        if ts is not None and self._find_parent(ts).ts in self._locked:
            raise RefusedError("restricted_action_thread_locked")

    def _find_parent(self, ts: str) -> Message:
        parent = self._messages.get(ts)
        if parent is None or parent.thread_ts is not None:
            raise RefusedError("thread_not_found")
        return parent

    def _next_ts(self) -> str:
        self._latest = max(int(self._clock() * 1_000_000), self._latest + 100)
        seconds, microseconds = divmod(self._latest, 1_000_000)
        return f"{seconds}.{microseconds:06d}"
