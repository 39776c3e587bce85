"""The workspace: its channels, its uploads, its token, and a record of the calls."""

from collections.abc import Callable

from devstack.slack.call import RefusedError
from devstack.slack.channel import Channel
from devstack.slack.uploads import Uploads

# The bot has not been invited to this channel.
CLOSED_CHANNEL_ID = "C0NOTINVITED"
CLOSED_CHANNEL_NAME = "general"


class Workspace:
    """One channel with the bot, one without it, and one valid token."""

    def __init__(
        self, token: str, channel_id: str, channel_name: str, clock: Callable[[], float]
    ) -> None:
        self.channel = Channel(channel_id, channel_name, clock)
        self.uploads = Uploads()
        self._token = token
        self._revoked = False
        self._calls: list[str] = []

    @property
    def calls(self) -> tuple[str, ...]:
        """The methods that were called, oldest first, refused calls included."""
        return tuple(self._calls)

    def record_call(self, method: str) -> None:
        """Add a call to the record."""
        self._calls.append(method)

    def revoke_token(self) -> None:
        """Refuse every later call with token_revoked."""
        self._revoked = True

    def check_token(self, token: str | None) -> None:
        """Raise `RefusedError` (not_authed, invalid_auth, token_revoked) for a bad token."""
        if not token:
            raise RefusedError("not_authed")
        if token != self._token:
            raise RefusedError("invalid_auth")
        if self._revoked:
            raise RefusedError("token_revoked")

    def find_channel(self, name_or_id: str) -> Channel:
        """Find a channel by name, `#name` or id, as chat.postMessage does.

        Raises `RefusedError` (channel_not_found, not_in_channel).
        """
        name = name_or_id.removeprefix("#")
        if name == CLOSED_CHANNEL_NAME:
            raise RefusedError("not_in_channel")
        if name == self.channel.name:
            return self.channel
        return self.find_channel_by_id(name_or_id)

    def find_channel_by_id(self, channel_id: str) -> Channel:
        """Find a channel by id only, as all other methods do.

        Raises `RefusedError` (channel_not_found, not_in_channel).
        """
        if channel_id == CLOSED_CHANNEL_ID:
            raise RefusedError("not_in_channel")
        if channel_id != self.channel.id:
            raise RefusedError("channel_not_found")
        return self.channel

    def clear(self) -> None:
        """Start over: no messages, files or calls, and a valid token."""
        self.channel.clear()
        self.uploads.clear()
        self._calls.clear()
        self._revoked = False
