"""Delivers pending messages to every output in recorded steps. None stops the others."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from chalicelib.domain.errors import (
    DeliveryError,
    FileRefused,
    MessageRefused,
    ServiceError,
    ThreadGone,
)
from chalicelib.domain.message import CsvFile, Message, OutputState, add_failure
from chalicelib.usecases.announce.contents import CsvContent, rebuild_csv
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import FactOutput, Output, StepReceipt

# A step must begin this long before the deadline, else it waits for the next scan. If Lambda
# stops us between an output's answer and our record, the step is repeated.
STEP_TIME = timedelta(seconds=30)
# The receipts of steps that nobody needs any more: a newer notice replaced the message, or no
# output of this name is left.
SUPERSEDED = "superseded"
NO_OUTPUT = "no such output"
# These concern one message. The output takes others.
OF_ONE_MESSAGE = (MessageRefused, FileRefused, ThreadGone)
NEVER = float("inf")


class Cause(Enum):
    """What a step failed of: one message, its CSV, the output as a whole, or its record."""

    MESSAGE = auto()
    CSV = auto()
    OUTPUT = auto()
    RECORD = auto()


class StepResult(Struct, frozen=True):
    """A delivery step that was tried; `error` and `cause` are None if it succeeded.

    `refusal` says why it was settled in another way than usual.
    """

    message_id: str
    step: str
    error: ServiceError | None = None
    cause: Cause | None = None
    refusal: DeliveryError | None = None


class Delivery:
    """The delivery of messages during one scan.

    `states` has the outputs that failed last. `end_pauses` tries them all.
    `results` has the steps that were tried, `pending` the messages with a step
    left, oldest first.
    """

    def __init__(
        self,
        context: Context,
        states: Mapping[str, OutputState],
        deadline: datetime,
        *,
        end_pauses: bool = False,
    ) -> None:
        self.results: list[StepResult] = []
        self.pending: list[Message] = []
        self._context = context
        self._last_start = deadline - STEP_TIME
        self.end_pauses = end_pauses
        self._states = states
        self._outputs = [(output, self.open_progress(output)) for output in context.outputs]

    def open_progress(self, output: Output | FactOutput) -> "OutputProgress":
        """Returns how an output fares."""
        state = self._states.get(output.name)
        return OutputProgress(self._context, output, state, end_pauses=self.end_pauses)

    def is_late(self) -> bool:
        """Whether no step may begin any more."""
        return self._context.clock() >= self._last_start

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
            for output, progress in self._outputs:
                self.results += self._take_round(output, progress, number, parcels)
        self.results += filter(None, [each.retry_record() for each in parcels])
        self.pending += [each.message for each in parcels if each.unfinished]

    def _take_round(
        self,
        output: Output,
        progress: "OutputProgress",
        number: int,
        parcels: Sequence["_Parcel"],
    ) -> Iterator[StepResult]:
        """Takes the step of this number of every message, if the earlier ones are done."""
        for parcel in parcels:
            step = parcel.find_step(output.name, number)
            if step is None or (parcel.is_paused(step) and not self.end_pauses):
                continue
            if not progress.allows(number) or self.is_late():
                return
            result = parcel.take(output, step)
            progress.note(result, number)
            yield result


class OutputProgress:
    """How an output fares in this scan, and the trouble that is left for the next ones."""

    def __init__(
        self,
        context: Context,
        output: Output | FactOutput,
        state: OutputState | None,
        *,
        end_pauses: bool,
    ) -> None:
        self.output = output
        self._context = context
        self._state = state
        self._end_pauses = end_pauses
        self._stopped_from = NEVER

    def allows(self, number: int) -> bool:
        """Whether a step of this number may be tried."""
        return number < min(self._stopped_from, self._paused_from)

    def note(self, result: StepResult, number: int) -> None:
        """Notes how a step of this number ended. A later step that fails stops no first one."""
        match result.cause:
            case None:
                self._end_trouble(number)
            case Cause.OUTPUT:
                self._stopped_from = min(self._stopped_from, number)
                self._add_trouble(result.error, number)
            case Cause.CSV:
                self._stopped_from = min(self._stopped_from, number)
            case Cause.RECORD:
                self._stopped_from = 0
            case _:
                pass  # it takes other messages

    @cached_property
    def _paused_from(self) -> float:
        """The number of the first step that must wait, as it was when the scan began.

        Finding the identity costs a call, so it is found only while a pause stands.
        """
        state = self._state
        if state is None or self._end_pauses or self._context.clock() >= state.retry_at:
            return NEVER
        if self._find_identity() != state.identity:
            # a person changed what was wrong, so what failed before says nothing
            self._state = replace(state, failures=0)
            return NEVER
        return 1 if state.later_only else 0

    def _end_trouble(self, number: int) -> None:
        """Removes the trouble, unless it is only of later steps than this one."""
        if self._state is not None and not (self._state.later_only and number == 0):
            self._save(None)

    def _add_trouble(self, error: ServiceError | None, number: int) -> None:
        now, name = self._context.clock(), self.output.name
        state = add_failure(self._state, name, _get_code(error), now, is_first=number == 0)
        if state.retry_at > now:
            state = replace(state, identity=self._find_identity())
        self._save(state)

    def _find_identity(self) -> str:
        """Returns the output's identity; nothing if it cannot be found."""
        try:
            return self.output.identity()
        except ServiceError:
            return ""

    def _save(self, state: OutputState | None) -> None:
        self._state = state
        # without the row, the next scan tries at once
        with suppress(ServiceError):
            self._context.work.save_output(self.output.name, state)


def _settle_obsolete(parcels: Sequence["_Parcel"], names: set[str]) -> Iterator[StepResult]:
    """Settles the steps of outputs that are gone, and all pending notices but the newest.

    The newest shows the present state.
    """
    for parcel in parcels:
        for step in parcel.message.pending:
            if get_output_name(step) not in names:
                yield parcel.finish(step, StepReceipt(NO_OUTPUT))
    notices = [each for each in parcels if each.message.is_notice and not each.message.sent]
    for parcel in notices[:-1]:
        for step in parcel.message.pending:
            yield parcel.finish(step, StepReceipt(SUPERSEDED))


def _get_code(error: ServiceError | None) -> str:
    return error.code if isinstance(error, DeliveryError) else type(error).__name__


def get_output_name(step: str) -> str:
    """Returns the name of the output that a step belongs to."""
    return step.partition(".")[0]


class _Parcel:
    """The delivery of one message. `message` is its progress, recorded or not."""

    def __init__(self, context: Context, message: Message, fresh: Mapping[str, CsvContent]) -> None:
        self.message = message
        self._recorded = message
        self._last_step = ""
        self._context = context
        self._contents = {file.key: fresh[file.key] for file in message.files if file.key in fresh}
        self._csv_failed = False

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

    def is_paused(self, step: str) -> bool:
        """Whether the step failed before, for a reason of this message, and is to wait."""
        trouble = self.message.failures.get(step)
        return trouble is not None and self._context.clock() < trouble.retry_at

    def take(self, output: Output, step: str) -> StepResult:
        """Takes one step and records it, or that it failed because of this message."""
        self._csv_failed = False
        try:
            receipt = output.take(step, self.message, self._read_csv)
        except ServiceError as error:
            if not self._csv_failed and not isinstance(error, OF_ONE_MESSAGE):
                return StepResult(self.message.id, step, error, Cause.OUTPUT)
            now = self._context.clock()
            self.message = self.message.with_failure(step, _get_code(error), now)
            self._record(step)
            cause = Cause.CSV if self._csv_failed else Cause.MESSAGE
            return StepResult(self.message.id, step, error, cause)
        return self.finish(step, receipt)

    def finish(self, step: str, receipt: StepReceipt) -> StepResult:
        """Records a step as taken. It was taken, even if that cannot be recorded now."""
        self.message = self.message.with_receipt(step, receipt.text)
        error = self._record(step)
        cause = Cause.RECORD if error else None
        return StepResult(self.message.id, step, error, cause, receipt.refusal)

    def retry_record(self) -> StepResult | None:
        """Records steps that could not be recorded before; None if there are none.

        A step that stays unrecorded is repeated by the next scan. A message that
        people see twice is better than one that nobody is sure of.
        """
        if self.message == self._recorded:
            return None
        error = self._record(self._last_step)
        cause = Cause.RECORD if error else None
        return StepResult(self.message.id, self._last_step, error, cause)

    def _record(self, step: str) -> ServiceError | None:
        self._last_step = step
        try:
            self._context.work.record(self.message, self._context.clock())
        except ServiceError as error:
            return error
        self._recorded = self.message
        return None

    def _read_csv(self, file: CsvFile) -> Iterator[bytes]:
        """Opens a CSV, and notes if reading it fails, which is not the output's fault."""
        with self._note_csv_failure():
            pieces = self._open_csv(file)
        return self._watch(pieces)

    def _watch(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        with self._note_csv_failure():
            yield from pieces

    @contextmanager
    def _note_csv_failure(self) -> Iterator[None]:
        try:
            yield
        except ServiceError:
            self._csv_failed = True
            raise

    def _open_csv(self, file: CsvFile) -> Iterator[bytes]:
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
