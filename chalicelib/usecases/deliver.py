"""Delivers pending messages in recorded steps; one step failing does not stop the others."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.errors import DeliveryError, MessageRefused, ServiceError
from chalicelib.domain.message import MAX_ATTACHED_ROWS, Message, Rendered, Step
from chalicelib.usecases.content import rebuild_csv, take_first_rows
from chalicelib.usecases.context import Context, CsvContent, StepResult

# A step that has not begun this long before the deadline waits for the next pass: cut off
# between the channel's answer and our record, it would be taken twice.
STEP_TIME = timedelta(seconds=30)


# Every message is posted before any file is dealt with: people read posts, files can wait.
DELIVERY_ORDER = (Step.POST, Step.STORE, Step.FILE)
# The receipt of a notice that was never posted, because a newer one says what counts now.
SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The steps tried, and the messages that still have something pending, oldest first."""

    tried: tuple[StepResult, ...]
    pending: tuple[Message, ...]
    channel_is_down: bool


def deliver(
    context: Context,
    messages: Sequence[Message],
    fresh: Mapping[str, CsvContent],
    deadline: datetime,
    *,
    channel_down: bool = False,
) -> DeliveryReport:
    """Take every pending step, oldest message first; `fresh` holds CSVs still at hand.

    Where an output itself is down, or what it took cannot be recorded, nothing further is
    tried on it in this pass; `channel_down` says that this is so already.
    """
    ordered = sorted(messages, key=lambda each: (each.created_at, each.id))
    couriers = [MessageDelivery(context, message, fresh.get(message.id)) for message in ordered]
    tried = _drop_old_notices(couriers)
    for step in DELIVERY_ORDER:
        if channel_down and step is not Step.STORE:
            continue
        for courier in couriers:
            if context.clock() >= deadline - STEP_TIME:
                break
            delivery = courier.take(step) if step in courier.message.pending else None
            if delivery is None:
                continue
            tried.append(delivery)
            if delivery.output_is_down:
                channel_down = channel_down or step is Step.POST
                break
    tried.extend(filter(None, [each.record_again() for each in couriers]))
    pending = tuple(each.message for each in couriers if each.unfinished)
    return DeliveryReport(tuple(tried), pending, channel_down)


def _drop_old_notices(couriers: Sequence["MessageDelivery"]) -> list[StepResult]:
    """Of notices that wait to be posted only the newest is worth it: it tells what is so now."""
    notices = [each for each in couriers if each.message.csv is None and not each.message.sent]
    return [courier.finish(Step.POST, SUPERSEDED) for courier in notices[:-1]]


class MessageDelivery:
    """Carries one message; `message` is how far it has come, recorded or not."""

    def __init__(self, context: Context, message: Message, content: CsvContent | None) -> None:
        self.message = message
        self._recorded = message
        self._world = context
        self._content = content
        self._steps: dict[Step, Callable[[], str | None]] = {
            Step.STORE: self._store,
            Step.POST: self._post,
            Step.FILE: self._file,
        }

    def take(self, step: Step) -> StepResult | None:
        """Take one step and record it; None where it has to wait for another step."""
        try:
            receipt = self._steps[step]()
        except ServiceError as error:
            return StepResult(self.message.id, step, error)
        return None if receipt is None else self.finish(step, receipt)

    @property
    def unfinished(self) -> bool:
        """Whether the next pass finds something of this message to do."""
        return not self._recorded.sent

    def finish(self, step: Step, receipt: str) -> StepResult:
        """Record a step as taken. It was, whether or not that can be written down now."""
        self.message = self.message.after(step, receipt)
        return StepResult(self.message.id, step, self._record())

    def record_again(self) -> StepResult | None:
        """Write down what could not be written when it happened; None where nothing is left so.

        What stays unwritten to the end, the next pass does once more: a post
        that Slack took twice is better than one that nobody is sure of.
        """
        if self.message == self._recorded:
            return None
        return StepResult(self.message.id, list(self.message.done)[-1], self._record())

    def _record(self) -> ServiceError | None:
        try:
            self._world.work.record(self.message, self._world.clock())
        except ServiceError as error:
            return error
        self._recorded = self.message
        return None

    def _store(self) -> str | None:
        file = self.message.csv
        if file is None:
            return None
        self._world.files.put(file.key, self._csv())
        return file.key

    def _post(self) -> str:
        try:
            return self._world.channel.post(self.message.rendered)
        except MessageRefused:
            return self._world.channel.post(Rendered(self.message.rendered.text, ()))

    def _file(self) -> str | None:
        thread = self.message.done.get(Step.POST)
        file = self.message.csv
        if thread is None or file is None:
            return None
        content, whole = take_first_rows(self._csv(), MAX_ATTACHED_ROWS)
        title = file.title if whole else f"{file.title}: the worst {MAX_ATTACHED_ROWS:,}"
        return self._world.channel.attach(thread, file.name, title, content)

    def _csv(self) -> Iterator[bytes]:
        """The file: at hand, from the bucket, or made again of the stored rows."""
        if self._content is None:
            stored = self._from_bucket()
            if stored is not None:
                return stored
            self._content = rebuild_csv(self._world, self.message)
        return self._content()

    def _from_bucket(self) -> Iterator[bytes] | None:
        """The stored file; None where there is none, or none any more."""
        stored = self.message.done.get(Step.STORE)
        try:
            return self._world.files.get(stored) if stored else None
        except DeliveryError as error:
            if error.retryable:
                raise
            return None
