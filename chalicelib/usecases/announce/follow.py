"""Lets outputs follow the facts: each at its own pace, with one receipt for any number of facts."""

from collections.abc import Iterator

from chalicelib.domain.errors import DeliveryError, ServiceError
from chalicelib.domain.finding import Finding
from chalicelib.domain.history import NAMED, EventKind, Fact, FactRow, Receipt
from chalicelib.usecases.announce.deliver import Cause, Delivery, StepResult
from chalicelib.usecases.context import Context
from chalicelib.usecases.ports import FactOutput, OpenWork, UncheckedKey

# How a step of these outputs is named in results, after the name of the output.
STEP = ".facts"
LOST = "facts_lost"


def follow_facts(delivery: Delivery, context: Context, work: OpenWork, last: Receipt) -> None:
    """Sends every output the facts after its receipt, up to `last`.

    An output without a receipt begins with all open findings. So does one that has
    missed facts, if a person asks for it: they are kept for 90 days.
    """
    for output in context.fact_outputs:
        receipt = work.receipts.get(output.name)
        if receipt == last:
            continue
        progress = delivery.open_progress(output)
        if not progress.allows(0) or delivery.is_late():
            continue
        step = f"{output.name}{STEP}"
        try:
            refusal = _follow(delivery, context, output, receipt, last)
        except ServiceError as error:
            # what the tables refuse is no trouble of the output
            cause = Cause.OUTPUT if isinstance(error, DeliveryError) else Cause.RECORD
            result = StepResult(last.scan_id, step, error, cause)
        else:
            result = StepResult(last.scan_id, step, refusal=refusal)
        progress.note(result, 0)
        delivery.results.append(result)


def _follow(
    delivery: Delivery, context: Context, output: FactOutput, receipt: Receipt | None, last: Receipt
) -> DeliveryError | None:
    """Sends what is missing. Returns why it began again instead; None if it did not."""
    if receipt is None:
        _start(context, output, last)
        return None
    try:
        for row, facts in _read_facts(context, receipt, last):
            if delivery.is_late():
                break
            output.send(facts)
            context.work.save_receipt(output.name, row.receipt)
    except LostFactsError as error:
        if not delivery.end_pauses:
            raise
        _start(context, output, last)
        return error
    return None


class LostFactsError(DeliveryError):
    """Facts that an output has not got are not stored any more."""

    def __init__(self, receipt: Receipt, found: int | None) -> None:
        until = "on" if found is None else f"to {found - 1}"
        super().__init__(
            LOST,
            retryable=False,
            hint=f"the facts from {receipt.number + 1} {until} are not stored any more; run "
            "reconcile with full, which begins again with all open findings",
        )


def _start(context: Context, output: FactOutput, last: Receipt) -> None:
    output.start(context.findings.all())
    context.work.save_receipt(output.name, last)


def _read_facts(
    context: Context, receipt: Receipt, last: Receipt
) -> Iterator[tuple[FactRow, list[Fact]]]:
    """Yields rows and their facts. Raises `LostFactsError` before the first that is missing."""
    if receipt.number > last.number:
        raise LostFactsError(receipt, None)
    for row in context.facts.rows(receipt, last):
        if row.first != receipt.number + 1:
            raise LostFactsError(receipt, row.first)
        yield row, row.list_facts(_find_findings(context, row))
        receipt = row.receipt
    if receipt.number != last.number:
        raise LostFactsError(receipt, last.number + 1)


def _find_findings(context: Context, row: FactRow) -> dict[str, Finding]:
    """Finds the findings of facts: stored ones in their table, others remembered or in history."""
    history = context.journal.find(row.list_keys(*NAMED))
    found = {each.finding_id: each.finding for each in history if each.finding}
    in_turn = [
        UncheckedKey(node.instance_id, key)
        for node in row.nodes
        for key in node.ids.get(EventKind.IN_TURN, ())
    ]
    remembered = context.unchecked.get(in_turn) if in_turn else {}
    found.update({key: each.finding for key, each in remembered.items()})
    stored = context.findings.get(
        key.finding_id for key in row.list_keys(EventKind.NEW, EventKind.BACK_IN_TURN)
    )
    return {**found, **stored}
