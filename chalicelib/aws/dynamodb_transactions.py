"""DynamoDB transactions: all actions or none."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.aws.errors import translate_errors

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

# Limit of TransactWriteItems.
MAX_ACTIONS = 100
# Seconds to wait where another transaction is just writing one of the rows.
DELAYS = (0.05, 0.2, 0.5)

# `{"Put": {"Item": …}}`, `{"Delete": {"Key": …}}`, `{"ConditionCheck": …}`, without the table.
Action = dict[str, dict[str, Any]]


def transact(
    table: "Table", actions: Sequence[Action], pause: Callable[[float], None] = time.sleep
) -> bool:
    """Write at most `MAX_ACTIONS`, no two on one row; False where a condition does not hold.

    `Conflict` where another transaction stands in the way for longer than the
    delays. Retries inside boto3 carry one token, so none of them writes twice.
    """
    client = table.meta.client
    requests: Any = [
        {kind: {"TableName": table.name, **what} for kind, what in action.items()}
        for action in actions
    ]
    with translate_errors("DynamoDB", table.name):
        for delay in (*DELAYS, None):
            try:
                client.transact_write_items(TransactItems=requests)
            except client.exceptions.TransactionCanceledException as error:
                reasons = {reason.get("Code") for reason in error.response["CancellationReasons"]}
                if "ConditionalCheckFailed" in reasons:
                    return False
                if delay is None or "TransactionConflict" not in reasons:
                    raise
                pause(delay)
            else:
                break
    return True
