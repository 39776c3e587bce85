"""Records the IAM actions and resources that a function needs for its calls to AWS."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3

from devstack.environment import ACCOUNT, REGION

# Maps one element of a transaction to the action that IAM requires.
_IN_TRANSACTION = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}


@dataclass(frozen=True, order=True)
class Need:
    """An action on a resource, as a policy would have to allow it.

    `partitions` are the partition keys that a request to the ledger table names.
    """

    action: str
    resource: str
    partitions: tuple[str, ...] = ()


@dataclass
class Recorder:
    """What each function needs, and every operation that was called."""

    needs: dict[str, set[Need]] = field(default_factory=dict)
    operations: set[str] = field(default_factory=set)
    _function: str | None = None

    def watch(self, session: boto3.Session) -> None:
        """Observes every client that this session creates from now on."""
        session.events.register("before-parameter-build", self._record_call)

    @contextmanager
    def record(self, function: str) -> Iterator[None]:
        """Records the calls within the block as those of this function."""
        self._function = function
        try:
            yield
        finally:
            self._function = None

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Records no calls within the block, which prepares something for a function."""
        function, self._function = self._function, None
        try:
            yield
        finally:
            self._function = function

    def _record_call(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        if self._function is None:
            return
        operation = f"{model.service_model.service_name}.{model.name}"
        self.operations.add(operation)
        self.needs.setdefault(self._function, set()).update(list_needs(operation, params))


def list_needs(operation: str, params: Mapping[str, Any]) -> set[Need]:
    """Lists what IAM requires for this operation with these parameters; pure."""
    service, _, name = operation.partition(".")
    return _SERVICES[service](name, params)


def _dynamodb(name: str, params: Mapping[str, Any]) -> set[Need]:
    if name == "TransactWriteItems":
        # IAM looks at each element alone
        return {
            Need(_IN_TRANSACTION[kind], _build_table_arn(what["TableName"]), _read_key(what))
            for item in params["TransactItems"]
            for kind, what in item.items()
        }
    if "RequestItems" in params:
        return {
            Need(f"dynamodb:{name}", _build_table_arn(table), key)
            for table, request in params["RequestItems"].items()
            for key in _list_keys(request)
        }
    index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
    arn = f"{_build_table_arn(params['TableName'])}{index}"
    if "KeyConditionExpression" in params:
        return {Need(f"dynamodb:{name}", arn, _find_key(params))}
    return {Need(f"dynamodb:{name}", arn, _read_key(params))}


def _list_keys(request: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> set[tuple[str, ...]]:
    """Lists the partition keys of a request for many rows; none if the table is not the ledger."""
    if isinstance(request, Mapping):
        return {_read_key({"Key": key}) for key in request["Keys"]}
    return {_read_key(what) for item in request for what in item.values()}


def _read_key(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Reads the partition key of a request for one row; none if the table is not the ledger."""
    return _read_text(params.get("Item", params.get("Key", {})).get("pk"))


def _find_key(params: Mapping[str, Any]) -> tuple[str, ...]:
    """Finds the partition key of a query; none if the table is not the ledger.

    boto3 has translated the condition to text by now, such as `(#n0 = :v0 AND …)`.
    """
    names, values = params["ExpressionAttributeNames"], params["ExpressionAttributeValues"]
    equal = re.findall(r"(#\w+) = (:\w+)", params["KeyConditionExpression"])
    return tuple(
        key for name, value in equal if names[name] == "pk" for key in _read_text(values[value])
    )


def _read_text(value: str | Mapping[str, str] | None) -> tuple[str, ...]:
    """Reads an attribute, with its type or without it."""
    match value:
        case None:
            return ()
        case str():
            return (value,)
    return (value["S"],)


# S3 requires the same action for a whole object and for one in parts.
_PARTS = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")


def _s3(name: str, params: Mapping[str, Any]) -> set[Need]:
    action = "PutObject" if name in _PARTS else name
    return {Need(f"s3:{action}", f"arn:aws:s3:::{params['Bucket']}/{params['Key']}")}


def _ssm(name: str, params: Mapping[str, Any]) -> set[Need]:
    # the compliance calls have no resource
    resource = (
        f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{params['Name']}" if "Name" in params else "*"
    )
    return {Need(f"ssm:{name}", resource)}


def _build_table_arn(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


_SERVICES: Mapping[str, Callable[[str, Mapping[str, Any]], set[Need]]] = {
    "dynamodb": _dynamodb,
    "s3": _s3,
    "ssm": _ssm,
}
