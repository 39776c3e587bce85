"""Serves the stand-in on this machine for the length of a `with` block."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler

from devstack.serving import serve_wsgi
from devstack.slack.app import create_app
from devstack.slack.faults import Fault, Faults
from devstack.slack.model import Message
from devstack.slack.workspace import Workspace


class SlackStandIn:
    """A running stand-in, for use in its own process."""

    def __init__(self, workspace: Workspace, faults: Faults, page_url: str) -> None:
        self._workspace = workspace
        self._faults = faults
        self.page_url = page_url
        self.base_url = f"{page_url}api/"

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages, oldest first, replies included."""
        return self._workspace.channel.messages

    @property
    def calls(self) -> tuple[str, ...]:
        """The methods that were called, oldest first, refused calls included."""
        return self._workspace.calls

    def fail(self, method: str, fault: Fault, times: int = 1) -> None:
        """Plan a fault for the next `times` calls of `method`.

        "*" means any method, "upload" the POST of a file's bytes.
        """
        self._faults.add(method, fault, times)

    def revoke_token(self) -> None:
        """Refuse every later call with token_revoked."""
        self._workspace.revoke_token()

    def delete_message(self, ts: str) -> None:
        """Delete a message and its replies."""
        self._workspace.channel.delete(ts)

    def lock_thread(self, ts: str) -> None:
        """Refuse later replies and files with restricted_action_thread_locked."""
        self._workspace.channel.lock(ts)

    def block_files(self) -> None:
        """Refuse later files with slack_connect_file_upload_sharing_blocked."""
        self._workspace.channel.takes_files = False

    def reset(self) -> None:
        """Start over: no messages, files, calls or faults, and a valid token.

        Files are taken again.
        """
        self._workspace.clear()
        self._faults.clear()


class _SilentHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print no request: an upload URL is a secret."""


@contextmanager
def serve_slack(
    port: int = 0,
    token: str = "xoxb-devstack",  # noqa: S107 - the token of a stand-in, no secret
    channel_id: str = "C0DEVSTACK",
    channel_name: str = "security-inbox",
    *,
    clock: Callable[[], float] = time.time,
) -> Iterator[SlackStandIn]:
    """Serve the stand-in on `port`, or on a free port if it is 0.

    `clock` returns seconds since 1970. It dates the messages. Raises OSError if the port is
    taken.
    """
    workspace = Workspace(token, channel_id, channel_name, clock)
    faults = Faults()
    with serve_wsgi(create_app(workspace, faults), port, _SilentHandler) as url:
        yield SlackStandIn(workspace, faults, f"{url}/")
