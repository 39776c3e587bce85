"""Slack as an output: a post in a channel, and each CSV in its thread."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from chalicelib.domain.errors import MessageRefused
from chalicelib.domain.message import Message
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.summary import AlertSummary
from chalicelib.reports.csv_file import take_first_rows
from chalicelib.reports.slack_blocks import Rendered
from chalicelib.reports.text import MAX_ATTACHED_ROWS
from chalicelib.usecases.ports import ReadCsv, StepReceipt

NAME: Final = "slack"
POST: Final = f"{NAME}.post"
# The step of a file is this and the file's name.
FILE: Final = f"{NAME}.file:"


class Channel(Protocol):
    """A channel where people read.

    Raises `DeliveryError`: `MessageRefused` for content it never takes,
    `ThreadGone` for a thread that takes no replies, `FileRefused` for a file.
    """

    @property
    def id(self) -> str:
        """Its id. It has no colon."""

    def post(self, rendered: Rendered, thread: str | None = None) -> str:
        """Posts a message, into the thread if one is given, and returns its thread id."""

    def attach(self, thread: str | None, name: str, title: str, content: bytes) -> str:
        """Puts a file into the thread, else into the channel, and returns the file's id."""

    def identity(self) -> str:
        """Returns a short digest of the channel and of the token, which it reads anew."""


@dataclass(frozen=True, slots=True)
class SlackOutput:
    """`Output` over a channel. A post's receipt is `<channel id>:<thread id>`."""

    channel: Channel
    render_alert: Callable[[AlertSummary], Rendered]
    render_monthly: Callable[[MonthlyReport], Rendered]

    @property
    def name(self) -> str:
        """`slack`."""
        return NAME

    def list_steps(self, message: Message) -> tuple[str, ...]:
        """A post, then each file."""
        return (POST, *(f"{FILE}{file.name}" for file in message.files))

    def take(self, step: str, message: Message, read_csv: ReadCsv) -> StepReceipt:
        """Posts the message, or puts a file into its thread."""
        if step == POST:
            return self._post(message)
        return self._attach(step.removeprefix(FILE), message, read_csv)

    def identity(self) -> str:
        """Changes with the channel and with the token."""
        return self.channel.identity()

    def _post(self, message: Message) -> StepReceipt:
        rendered = self._render(message)
        try:
            thread = self.channel.post(rendered)
        except MessageRefused:
            thread = self.channel.post(Rendered(rendered.text))
        return StepReceipt(f"{self.channel.id}:{thread}")

    def _render(self, message: Message) -> Rendered:
        if message.month:
            return self.render_monthly(message.month)
        if message.alert:
            return self.render_alert(message.alert)
        raise ValueError(f"message {message.id} shows nothing")

    def _attach(self, name: str, message: Message, read_csv: ReadCsv) -> StepReceipt:
        file = message.get_file(name)
        content, is_whole = take_first_rows(read_csv(file), MAX_ATTACHED_ROWS)
        title = file.title if is_whole else f"{file.title}: the worst {MAX_ATTACHED_ROWS:,}"
        return StepReceipt(self.channel.attach(self._find_thread(message), name, title, content))

    def _find_thread(self, message: Message) -> str | None:
        """Returns the thread of the post; None if that is in another channel."""
        channel, _, thread = message.done[POST].partition(":")
        return thread if channel == self.channel.id else None
