"""Delivers pending messages to every output in recorded steps. None stops the others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.errors import (
    DeliveryError,
    FileRefused,
    MessageRefused,
    ServiceError,
    ThreadGone,
)
from chalicelib.domain.message import CsvFile, Message
from chalicelib.usecases.announce.contents import CsvContent, rebuild_csv
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import Output, StepReceipt

# A step must begin this long before the deadline, else it waits for the next scan. If Lambda
# stops us between an output's answer and our record, the step is repeated.
STEP_TIME = timedelta(seconds=30)
# The receipts of steps that nobody needs any more: a newer notice replaced the message, or no
# output of this name is left.
SUPERSEDED = "superseded"
NO_OUTPUT = "no such output"
# These concern one message. The output takes others.
OF_ONE_MESSAGE = (MessageRefused, FileRefused, ThreadGone)


@dataclass(frozen=True, slots=True)
class StepResult:
    """A delivery step that was tried; `error` is None if it succeeded.

    `refusal` says why it was settled in another way than usual.
    """

    message_id: str
    step: str
    error: ServiceError | None = None
    refusal: DeliveryError | None = None


class Delivery:
    """The delivery of messages during one scan.

    `results` has the steps that were tried, `pending` the messages with a step
    left, oldest first.
    """

    def __init__(self, context: Context, deadline: datetime) -> None:
        self.results: list[StepResult] = []
        self.pending: list[Message] = []
        self._context = context
        self._last_start = deadline - STEP_TIME
        self._outputs = [_OutputProgress(output) for output in context.outputs]

    def deliver(self, messages: Sequence[Message], fresh: Mapping[str, CsvContent]) -> None:
        """Takes every pending step: all first steps of each output, then all second ones.

        People read posts, files can wait. `fresh` maps the keys of files to CSVs in
        memory. If an output is down, or a step cannot be recorded, nothing more is
        tried on that output in this scan.
        """
        ordered = sorted(messages, key=lambda each: (each.created_at, each.id))
        parcels = [_Parcel(self._context, each, fresh) for each in ordered]
        self.results += _settle_obsolete(parcels, {each.name for each in self._context.outputs})
        rounds = max((len(each.message.steps) for each in parcels), default=0)
        for number in range(rounds):
            for output in self._outputs:
                self.results += self._take_round(output, number, parcels)
        self.results += filter(None, [each.retry_record() for each in parcels])
        self.pending += [each.message for each in parcels if each.unfinished]

    def _take_round(
        self, progress: "_OutputProgress", number: int, parcels: Sequence["_Parcel"]
    ) -> Iterator[StepResult]:
        """Takes the step of this number of every message, if the earlier ones are done."""
        for parcel in parcels:
            step = parcel.find_step(progress.output.name, number)
            if step is None:
                continue
            if number >= progress.stopped_from or self._context.clock() >= self._last_start:
                return
            result = parcel.take(progress.output, step)
            if result.error is not None:
                progress.note(result.error, number if parcel.is_pending(step) else 0)
            yield result


class _OutputProgress:
    """How an output fares in this scan. From round `stopped_from` on, nothing is tried."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.stopped_from: float = float("inf")

    def note(self, error: ServiceError, number: int) -> None:
        """Notes a failure, which stops the steps from this number on: files stop no posts."""
        if not isinstance(error, OF_ONE_MESSAGE):
            self.stopped_from = min(self.stopped_from, number)


def _settle_obsolete(parcels: Sequence["_Parcel"], names: set[str]) -> Iterator[StepResult]:
    """Settles the steps of outputs that are gone, and all pending notices but the newest.

    A notice is a message without a file. The newest shows the present state.
    """
    for parcel in parcels:
        for step in parcel.message.pending:
            if get_output_name(step) not in names:
                yield parcel.finish(step, StepReceipt(NO_OUTPUT))
    notices = [each for each in parcels if not each.message.files and not each.message.sent]
    for parcel in notices[:-1]:
        for step in parcel.message.pending:
            yield parcel.finish(step, StepReceipt(SUPERSEDED))


def get_output_name(step: str) -> str:
    """Returns the name of the output that a step belongs to."""
    return step.partition(".")[0]


class _Parcel:
    """The delivery of one message. `message` is its progress, recorded or not."""

    def __init__(self, context: Context, message: Message, fresh: Mapping[str, CsvContent]) -> None:
        self.message = message
        self._recorded = message
        self._context = context
        self._contents = {file.key: fresh[file.key] for file in message.files if file.key in fresh}

    @property
    def unfinished(self) -> bool:
        """Whether the next scan has a step of this message to take."""
        return not self._recorded.sent

    def find_step(self, output: str, number: int) -> str | None:
        """Returns the step of this number of an output, if it is the next one."""
        steps = [step for step in self.message.steps if get_output_name(step) == output]
        earlier = all(step in self.message.done for step in steps[:number])
        is_next = len(steps) > number and earlier and steps[number] not in self.message.done
        return steps[number] if is_next else None

    def is_pending(self, step: str) -> bool:
        """Whether the step was not taken. One that was taken may not be recorded."""
        return step not in self.message.done

    def take(self, output: Output, step: str) -> StepResult:
        """Takes one step and records it."""
        try:
            receipt = output.take(step, self.message, self._read_csv)
        except ServiceError as error:
            return StepResult(self.message.id, step, error)
        return self.finish(step, receipt)

    def finish(self, step: str, receipt: StepReceipt) -> StepResult:
        """Records a step as taken. It was taken, even if that cannot be recorded now."""
        self.message = self.message.with_receipt(step, receipt.text)
        return StepResult(self.message.id, step, self._record(), receipt.refusal)

    def retry_record(self) -> StepResult | None:
        """Records steps that could not be recorded before; None if there are none.

        A step that stays unrecorded is repeated by the next scan. A message that
        people see twice is better than one that nobody is sure of.
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

    def _read_csv(self, file: CsvFile) -> Iterator[bytes]:
        """Returns a CSV: from memory, from the bucket, or rebuilt from the stored findings."""
        if file.key not in self._contents:
            stored = self._read_stored_csv(file)
            if stored is not None:
                return stored
            self._contents[file.key] = rebuild_csv(self._context, self.message, file)
        return self._contents[file.key]()

    def _read_stored_csv(self, file: CsvFile) -> Iterator[bytes] | None:
        """Returns the stored CSV; None if it was never stored, or has expired."""
        if file not in self.message.stored_files:
            return None
        try:
            return self._context.files.get(file.key)
        except DeliveryError as error:
            if error.retryable:
                raise
            return None
