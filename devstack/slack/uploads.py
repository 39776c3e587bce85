"""File uploads in Slack's three steps: reserve an address, receive the bytes, complete."""

import mimetypes
from dataclasses import dataclass
from secrets import token_urlsafe
from threading import RLock
from urllib.parse import quote

from devstack.slack.call import RefusedError
from devstack.slack.model import File


class UploadError(Exception):
    """The upload URL does not accept these bytes. The text says why."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A reserved upload: `key` is the secret part of its URL, `length` is in bytes."""

    file_id: str
    key: str
    name: str
    length: int


class Uploads:
    """Reserved uploads, received bytes and completed files, safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._count = 0
        self._tickets: dict[str, Ticket] = {}
        self._received: dict[str, bytes] = {}
        self._files: dict[str, File] = {}

    def reserve(self, name: str, length: int) -> Ticket:
        """Reserve an upload of `length` bytes."""
        with self._lock:
            self._count += 1
            ticket = Ticket(f"F{self._count:010d}", token_urlsafe(24), name, length)
            self._tickets[ticket.file_id] = ticket
            return ticket

    def receive(self, key: str, content: bytes) -> int:
        """Store the bytes of a reserved upload and return their number.

        Raises `UploadError` if the key is unknown or the length is not the reserved one.
        """
        with self._lock:
            ticket = next((each for each in self._tickets.values() if each.key == key), None)
            if ticket is None:
                raise UploadError("no such upload")
            if len(content) != ticket.length:
                raise UploadError(f"{ticket.length} bytes reserved, {len(content)} received")
            self._received[ticket.file_id] = content
            return len(content)

    def complete(self, titles: dict[str, str], host_url: str) -> tuple[File, ...]:
        """Complete all the uploads, or none.

        `titles` maps file ids to titles. An empty title stands for the file name. Raises
        `RefusedError` (file_not_found) if a file is unknown, not received, or completed before.
        """
        with self._lock:
            if any(file_id not in self._received for file_id in titles):
                raise RefusedError("file_not_found")
            files = tuple(
                self._complete_one(file_id, title, host_url) for file_id, title in titles.items()
            )
            self._files.update({file.id: file for file in files})
            return files

    def find(self, file_id: str) -> File:
        """Return a completed file, or raise `RefusedError` (file_not_found)."""
        with self._lock:
            if file_id not in self._files:
                raise RefusedError("file_not_found")
            return self._files[file_id]

    def clear(self) -> None:
        """Forget all files and all upload URLs."""
        with self._lock:
            self._tickets.clear()
            self._received.clear()
            self._files.clear()

    def _complete_one(self, file_id: str, title: str, host_url: str) -> File:
        ticket = self._tickets.pop(file_id)
        content = self._received.pop(file_id)
        return File(
            id=file_id,
            name=ticket.name,
            title=title or ticket.name,
            mimetype=mimetypes.guess_type(ticket.name)[0] or "application/octet-stream",
            size=len(content),
            permalink=f"{host_url}files/{file_id}/{quote(ticket.name, safe='')}",
            content=content,
        )
