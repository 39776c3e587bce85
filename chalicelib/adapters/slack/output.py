"""Slack as an output: a post in a channel, and each CSV in its thread."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, Protocol

from msgspec import Struct

from chalicelib.adapters.slack.codes import UNKNOWN as LOOK_UP
from chalicelib.adapters.slack.codes import UnknownCode
from chalicelib.domain.errors import DeliveryError, FileRefused, MessageRefused, ThreadGone
from chalicelib.domain.message import CsvFile, Message
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.summary import AlertSummary
from chalicelib.reports.csv_file import take_first_rows
from chalicelib.reports.slack_blocks import MAX_ATTACHED_ROWS, Rendered, build_message
from chalicelib.usecases.ports import ReadCsv, StepReceipt

NAME: Final = "slack"
POST: Final = f"{NAME}.post"
# The step of a file is this and the file's name.
FILE: Final = f"{NAME}.file:"
# The receipt of a file that Slack refused, and the line about it too.
REFUSED: Final = "refused"


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


class SlackOutput(Struct, frozen=True):
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
        return self._attach(step, message, read_csv)

    def identity(self) -> str:
        """Changes with the channel and with the token."""
        return self.channel.identity()

    def _post(self, message: Message) -> StepReceipt:
        """Posts the message in the richest form that Slack takes; at least that it exists.

        A code that nobody knows may be about the form too, so a plainer one is tried.
        """
        refusal: DeliveryError | None = None
        for form in self._list_forms(message):
            try:
                thread = self.channel.post(form)
            except (MessageRefused, UnknownCode) as error:
                refusal = error
            else:
                return StepReceipt(f"{self.channel.id}:{thread}", refusal)
        # not even a fixed line is taken, so this is not about the message
        raise _blame_channel(refusal)

    def _list_forms(self, message: Message) -> Iterator[Rendered]:
        rendered = self._render(message)
        yield rendered
        yield Rendered(rendered.text)
        keys = " and ".join(file.key for file in message.files)
        where = f" Its CSV is in S3 as {keys}." if keys else ""
        yield build_message(f"Slack refused the message {message.id}.{where}", ())

    def _render(self, message: Message) -> Rendered:
        if message.month:
            return self.render_monthly(message.month)
        if message.alert:
            return self.render_alert(message.alert)
        if message.text:
            return Rendered(message.text)
        raise ValueError(f"message {message.id} shows nothing")

    def _attach(self, step: str, message: Message, read_csv: ReadCsv) -> StepReceipt:
        """Puts a file into the thread, else into the channel, else says where it is."""
        file = message.get_file(step.removeprefix(FILE))
        content, is_whole = take_first_rows(read_csv(file), MAX_ATTACHED_ROWS)
        title = file.title if is_whole else f"{file.title}: the worst {MAX_ATTACHED_ROWS:,}"
        thread = self._find_thread(message)

        def attach(where: str | None) -> str:
            return self.channel.attach(where, file.name, title, content)

        try:
            return StepReceipt(_try_thread(attach, thread))
        except (FileRefused, ThreadGone) as error:
            return self._point_to_bucket(file, thread, error)
        except UnknownCode as error:
            if step not in message.failures:
                raise FileRefused(error.code, error.hint) from None
            return self._point_to_bucket(file, thread, error)

    def _find_thread(self, message: Message) -> str | None:
        """Returns the thread of the post; None if that is in another channel."""
        channel, _, thread = message.done[POST].partition(":")
        return thread if channel == self.channel.id else None

    def _point_to_bucket(
        self, file: CsvFile, thread: str | None, refusal: DeliveryError
    ) -> StepReceipt:
        """Says where the file is, because Slack will never take it."""
        text = f"The CSV is not here, because Slack refused it. It is in S3 as {file.key}."

        def say(where: str | None) -> str:
            return self.channel.post(build_message(text, ()), where)

        try:
            return StepReceipt(f"{self.channel.id}:{_try_thread(say, thread)}", refusal)
        except DeliveryError as error:
            if error.retryable and not isinstance(error, UnknownCode):
                raise
            return StepReceipt(REFUSED, error)


def _try_thread(send: Callable[[str | None], str], thread: str | None) -> str:
    """Sends into the thread, or into the channel if there is none or it takes nothing more."""
    if thread is not None:
        with suppress(ThreadGone):
            return send(thread)
    return send(None)


def _blame_channel(refusal: DeliveryError | None) -> DeliveryError:
    """Returns the error for a channel that takes no message in any form."""
    code, hint = (refusal.code, refusal.hint) if refusal else ("unknown", "")
    return DeliveryError(code, retryable=False, hint=hint or LOOK_UP)
