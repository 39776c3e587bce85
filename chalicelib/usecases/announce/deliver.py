"""Delivers pending messages in recorded steps. A step that fails does not stop the others."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.errors import DeliveryError, MessageRefused, ServiceError
from chalicelib.domain.finding import Finding
from chalicelib.domain.message import MAX_ATTACHED_ROWS, Message, Rendered, Source, Step
from chalicelib.domain.snooze import Muting, list_with_snoozes
from chalicelib.usecases.announce.stage import CsvContent
from chalicelib.usecases.context import Context
from chalicelib.usecases.snooze_access import find_failing, read_snoozes_or_empty

# A step must begin this long before the deadline, else it waits for the next scan. If Lambda
# stops us between the channel's answer and our record, the step is repeated.
STEP_TIME = timedelta(seconds=30)
# Every message is posted before any file is handled: people read posts, files can wait.
DELIVERY_ORDER = (Step.POST, Step.STORE, Step.FILE)
# The receipt of a notice that was never posted, because a newer one replaced it.
SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class StepResult:
    """A delivery step that was tried; `error` is None if it succeeded."""

    message_id: str
    step: Step
    error: ServiceError | None = None

    @property
    def output_is_down(self) -> bool:
        """Whether the step failed for a reason other than this message's content."""
        return self.error is not None and not isinstance(self.error, MessageRefused)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The steps tried, and the messages with a step left, oldest first."""

    results: tuple[StepResult, ...]
    pending: tuple[Message, ...]
    channel_is_down: bool


def deliver(
    context: Context,
    messages: Sequence[Message],
    fresh: Mapping[str, CsvContent],
    deadline: datetime,
    *,
    channel_is_down: bool = False,
) -> Delivery:
    """Takes every pending step, oldest message first.

    `fresh` maps message ids to CSVs in memory. If an output is down, or a step
    cannot be recorded, nothing more is tried on that output in this scan.
    """
    ordered = sorted(messages, key=lambda each: (each.created_at, each.id))
    deliveries = [MessageDelivery(context, each, fresh.get(each.id)) for each in ordered]
    results = _supersede_notices(deliveries)
    for step in DELIVERY_ORDER:
        if channel_is_down and step is not Step.STORE:
            continue
        for delivery in deliveries:
            if context.clock() >= deadline - STEP_TIME:
                break
            result = delivery.take(step) if step in delivery.message.pending else None
            if result is None:
                continue
            results.append(result)
            if result.output_is_down:
                channel_is_down = channel_is_down or step is Step.POST
                break
    results.extend(filter(None, [each.retry_record() for each in deliveries]))
    pending = tuple(each.message for each in deliveries if each.unfinished)
    return Delivery(tuple(results), pending, channel_is_down)


def _supersede_notices(deliveries: Sequence["MessageDelivery"]) -> list[StepResult]:
    """Finishes all pending notices but the newest, which shows the present state."""
    notices = [each for each in deliveries if each.message.csv is None and not each.message.sent]
    return [each.finish(Step.POST, SUPERSEDED) for each in notices[:-1]]


class MessageDelivery:
    """The delivery of one message. `message` is its progress, recorded or not."""

    def __init__(self, context: Context, message: Message, content: CsvContent | None) -> None:
        self.message = message
        self._recorded = message
        self._context = context
        self._content = content
        self._steps: dict[Step, Callable[[], str | None]] = {
            Step.STORE: self._store,
            Step.POST: self._post,
            Step.FILE: self._attach,
        }

    @property
    def unfinished(self) -> bool:
        """Whether the next scan has a step of this message to take."""
        return not self._recorded.sent

    def take(self, step: Step) -> StepResult | None:
        """Takes one step and records it; None if it has to wait for another step."""
        try:
            receipt = self._steps[step]()
        except ServiceError as error:
            return StepResult(self.message.id, step, error)
        return None if receipt is None else self.finish(step, receipt)

    def finish(self, step: Step, receipt: str) -> StepResult:
        """Records a step as taken. It was taken, even if that cannot be recorded now."""
        self.message = self.message.with_receipt(step, receipt)
        return StepResult(self.message.id, step, self._record())

    def retry_record(self) -> StepResult | None:
        """Records steps that could not be recorded before; None if there are none.

        A step that stays unrecorded is repeated by the next scan. A message that
        Slack shows twice is better than one that nobody is sure of.
        """
        if self.message == self._recorded:
            return None
        return StepResult(self.message.id, list(self.message.done)[-1], self._record())

    def _record(self) -> ServiceError | None:
        try:
            self._context.work.record(self.message, self._context.clock())
        except ServiceError as error:
            return error
        self._recorded = self.message
        return None

    def _store(self) -> str | None:
        file = self.message.csv
        if file is None:
            return None
        self._context.files.put(file.key, self._read_csv())
        return file.key

    def _post(self) -> str:
        try:
            return self._context.channel.post(self.message.rendered)
        except MessageRefused:
            plain = Rendered(self.message.rendered.text, ())
            return self._context.channel.post(plain)

    def _attach(self) -> str | None:
        thread = self.message.done.get(Step.POST)
        file = self.message.csv
        if thread is None or file is None:
            return None
        content, is_whole = take_first_rows(self._read_csv(), MAX_ATTACHED_ROWS)
        title = file.title if is_whole else f"{file.title}: the worst {MAX_ATTACHED_ROWS:,}"
        return self._context.channel.attach(thread, file.name, title, content)

    def _read_csv(self) -> Iterator[bytes]:
        """Returns the CSV: from memory, from the bucket, or rebuilt from the stored findings."""
        if self._content is None:
            stored = self._read_stored_csv()
            if stored is not None:
                return stored
            self._content = rebuild_csv(self._context, self.message)
        return self._content()

    def _read_stored_csv(self) -> Iterator[bytes] | None:
        """Returns the stored CSV; None if it was never stored, or has expired."""
        stored = self.message.done.get(Step.STORE)
        try:
            return self._context.files.get(stored) if stored else None
        except DeliveryError as error:
            if error.retryable:
                raise
            return None


def take_first_rows(chunks: Iterable[bytes], most: int) -> tuple[bytes, bool]:
    """Returns a CSV's header with at most `most` rows, and whether that is the whole file."""
    taken: list[bytes] = []
    left = most + 1
    for chunk in filter(None, chunks):
        if not left:
            return b"".join(taken), False
        lines = chunk.split(b"\n", left)
        left -= len(lines) - 1
        rest = b"" if left else lines[-1]
        taken.append(chunk[: len(chunk) - len(rest)])
        if rest:
            return b"".join(taken), False
    return b"".join(taken), True


def rebuild_csv(context: Context, message: Message) -> CsvContent:
    """Rebuilds the CSV of a message from the findings that are still stored."""
    muting = Muting(read_snoozes_or_empty(context), context.clock())
    everything = message.csv is not None and message.csv.source is Source.EVERYTHING
    rows = context.sorter.worst_first(
        context.findings.all() if everything else _find_still_failing(context, message, muting)
    )
    return lambda: context.renderer.csv(list_with_snoozes(rows, muting))


def _find_still_failing(context: Context, message: Message, muting: Muting) -> Iterator[Finding]:
    """Finds what an alert announced that is still stored and not muted now."""
    # its snoozes are settled by now, so `unsettled` no longer lists them
    ended = [each for each in context.snoozes.all() if each.id in message.snooze_ids]
    found = {each.key: each for each in context.findings.all() if each.scan_id in message.scan_ids}
    found.update({row.key: row for _, rows in find_failing(context, ended) for row in rows})
    return (each for each in found.values() if muting.of(each) is None)
