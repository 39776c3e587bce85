"""Delivers pending messages in recorded steps; one step failing does not stop the others."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib.domain.errors import DeliveryError, MessageRefused, ServiceError
from chalicelib.domain.message import Message, Rendered, Source, Step
from chalicelib.domain.monthly import Listed, listed
from chalicelib.domain.snooze import active, muting
from chalicelib.usecases.stage import audible, failing
from chalicelib.usecases.world import Delivery, World

# A step that has not begun this long before the deadline waits for the next pass: cut off
# between the channel's answer and our record, it would be taken twice.
STEP_TIME = timedelta(seconds=30)


# Every message is posted before any file is dealt with: people read posts, files can wait.
SWEEPS = (Step.POST, Step.STORE, Step.FILE)
# The receipt of a notice that was never posted, because a newer one says what counts now.
SUPERSEDED = "superseded"


def deliver(
    world: World, messages: Sequence[Message], fresh: Mapping[str, bytes], deadline: datetime
) -> tuple[tuple[Delivery, ...], tuple[Message, ...]]:
    """Take every pending step, oldest message first; `fresh` holds CSVs still at hand.

    Returns the steps tried, and the messages that still have something pending, oldest first.
    Where an output itself is down, or what it took cannot be recorded, nothing further is
    tried on it in this pass.
    """
    ordered = sorted(messages, key=lambda each: (each.created_at, each.id))
    couriers = [Courier(world, message, fresh.get(message.id)) for message in ordered]
    tried = _drop_old_notices(couriers)
    channel_down = False
    for step in SWEEPS:
        if channel_down and step is Step.FILE:
            break
        for courier in couriers:
            if world.clock() >= deadline - STEP_TIME:
                break
            delivery = courier.take(step) if step in courier.message.pending else None
            if delivery is None:
                continue
            tried.append(delivery)
            if delivery.output_is_down:
                channel_down = channel_down or step is Step.POST
                break
    tried.extend(filter(None, [each.record_again() for each in couriers]))
    return tuple(tried), tuple(each.message for each in couriers if each.unfinished)


def _drop_old_notices(couriers: Sequence["Courier"]) -> list[Delivery]:
    """Of notices that wait to be posted only the newest is worth it: it tells what is so now."""
    notices = [each for each in couriers if each.message.csv is None and not each.message.sent]
    return [courier.finish(Step.POST, SUPERSEDED) for courier in notices[:-1]]


class Courier:
    """Carries one message; `message` is how far it has come, recorded or not."""

    def __init__(self, world: World, message: Message, content: bytes | None) -> None:
        self.message = message
        self._recorded = message
        self._world = world
        self._content = content
        self._steps: dict[Step, Callable[[], str | None]] = {
            Step.STORE: self._store,
            Step.POST: self._post,
            Step.FILE: self._file,
        }

    def take(self, step: Step) -> Delivery | None:
        """Take one step and record it; None where it has to wait for another step."""
        try:
            receipt = self._steps[step]()
        except ServiceError as error:
            return Delivery(self.message.id, step, error)
        return None if receipt is None else self.finish(step, receipt)

    @property
    def unfinished(self) -> bool:
        """Whether the next pass finds something of this message to do."""
        return not self._recorded.sent

    def finish(self, step: Step, receipt: str) -> Delivery:
        """Record a step as taken. It was, whether or not that can be written down now."""
        self.message = self.message.after(step, receipt)
        return Delivery(self.message.id, step, self._record())

    def record_again(self) -> Delivery | None:
        """Write down what could not be written when it happened; None where nothing is left so.

        What stays unwritten to the end, the next pass does once more: a post
        that Slack took twice is better than one that nobody is sure of.
        """
        if self.message == self._recorded:
            return None
        return Delivery(self.message.id, list(self.message.done)[-1], self._record())

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
        return self._world.channel.attach(thread, file.name, file.title, self._csv())

    def _csv(self) -> bytes:
        """The file's bytes: at hand, from the bucket, or made again of the stored rows."""
        if self._content is None:
            self._content = self._from_bucket() or self._world.renderer.csv(
                rows_again(self._world, self.message)
            )
        return self._content

    def _from_bucket(self) -> bytes | None:
        """The stored file; None where there is none, or none any more."""
        stored = self.message.done.get(Step.STORE)
        try:
            return self._world.files.get(stored) if stored else None
        except DeliveryError as error:
            if error.retryable:
                raise
            return None


def rows_again(world: World, message: Message) -> tuple[Listed, ...]:
    """The rows of a message whose CSV was never stored, as far as they still fail."""
    now = world.clock()
    snoozes = audible(world)
    if message.csv and message.csv.source is Source.EVERYTHING:
        return listed(world.findings.all(), snoozes, now)
    ended = [snooze for snooze in snoozes if snooze.id in message.snooze_ids]
    found = {each.key: each for each in world.findings.all() if each.scan_id in message.scan_ids}
    found.update({row.key: row for _, rows in failing(world, ended) for row in rows})
    mute = active(snoozes, now)
    heard = [each for each in found.values() if muting(mute, each, now) is None]
    return listed(heard, snoozes, now)
