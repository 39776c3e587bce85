"""The workspace that the methods work on: who may call, which channels there are."""

from collections.abc import Callable

from devstack.slack.call import RefusedError
from devstack.slack.channel import Channel
from devstack.slack.uploads import Uploads

# A channel that the bot has not been invited to
CLOSED_CHANNEL_ID = "C0NOTINVITED"
CLOSED_CHANNEL_NAME = "general"


class Workspace:
    """One channel that the bot is in, one that it is not in, and one valid token."""

    def __init__(
        self, token: str, channel_id: str, channel_name: str, clock: Callable[[], float]
    ) -> None:
        self.channel = Channel(channel_id, channel_name, clock)
        self.uploads = Uploads()
        self._token = token
        self._revoked = False
        self._calls: list[str] = []

    def record(self, method: str) -> None:
        """Remember that a method was called."""
        self._calls.append(method)

    @property
    def calls(self) -> tuple[str, ...]:
        """Give the names of the methods called, oldest first, refused calls included."""
        return tuple(self._calls)

    def revoke_token(self) -> None:
        """Let every later call fail with token_revoked."""
        self._revoked = True

    def check_token(self, token: str | None) -> None:
        """Raise `RefusedError`: not_authed, invalid_auth or token_revoked."""
        if not token:
            raise RefusedError("not_authed")
        if token != self._token:
            raise RefusedError("invalid_auth")
        if self._revoked:
            raise RefusedError("token_revoked")

    def channel_named(self, name_or_id: str) -> Channel:
        """Find a channel by name, `#name` or id, as chat.postMessage does.

        Raises `RefusedError`: channel_not_found, not_in_channel.
        """
        wanted = name_or_id.removeprefix("#")
        if wanted == CLOSED_CHANNEL_NAME:
            raise RefusedError("not_in_channel")
        return self.channel if wanted == self.channel.name else self.channel_with_id(name_or_id)

    def channel_with_id(self, channel_id: str) -> Channel:
        """Find a channel by id only, as the methods for files do.

        Raises `RefusedError`: channel_not_found, not_in_channel.
        """
        if channel_id == CLOSED_CHANNEL_ID:
            raise RefusedError("not_in_channel")
        if channel_id != self.channel.id:
            raise RefusedError("channel_not_found")
        return self.channel

    def clear(self) -> None:
        """Begin anew: no messages, files or calls, and a valid token."""
        self.channel.clear()
        self.uploads.clear()
        self._calls.clear()
        self._revoked = False
