"""What several AWS adapters share: errors, parameters, a count of calls."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Conflict, Forbidden, ServiceError, Unavailable

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_ssm import SSMClient

_CONFLICTS = {"ConditionalCheckFailedException", "TransactionConflictException"}
# What only a person can mend, and how. Every other code may pass by itself.
_FORBIDDEN = {
    "AccessDenied": "allow the action in the function's policy",
    "AccessDeniedException": "allow the action in the function's policy",
    "UnrecognizedClientException": "check the credentials",
    "ExpiredTokenException": "renew the credentials",
    "InvalidSignatureException": "check the credentials and the clock",
    "ResourceNotFoundException": "create the table, or correct the setting that names it",
    "NoSuchBucket": "create the bucket, or correct REPORTS_BUCKET",
    "ParameterNotFound": "create the parameter, or correct the setting that names it",
    "InvalidKeyId": "enable the parameter's KMS key and let the function's role use it",
    "ValidationException": "check the setting that names it, or report this as a bug",
    "ValidationError": "an action of the transaction is refused: report this as a bug",
    "KMSAccessDeniedException": "allow kms:Decrypt for the function's role",
}


@contextmanager
def translate_errors(service: str, target: str) -> Iterator[None]:
    """Raises AWS errors of the block as `Conflict`, `Forbidden` or `Unavailable`, by their code.

    `target` names what the block works on: a table, a bucket key, a node.
    """
    try:
        yield
    except ClientError as error:
        raise _translate(error, service, target) from error
    except BotoCoreError as error:
        raise Unavailable(f"{service} could not be reached for {target}: {error}") from error
    except KeyError as error:
        # a proxy's answer, for example: boto3 reads an answer of another form as an empty one
        raise Unavailable(f"{service} answered for {target} without {error}") from error


def _translate(error: ClientError, service: str, target: str) -> ServiceError:
    code = error.response.get("Error", {}).get("Code", "unknown")
    if code == "TransactionCanceledException":
        reasons = {reason.get("Code", "None") for reason in error.response["CancellationReasons"]}
        code = next(iter(sorted(reasons - {"None"})), code)
        if reasons & {"ConditionalCheckFailed", "TransactionConflict"}:
            return Conflict(f"{service} {target}: another writer was first ({code})")
    if code in _CONFLICTS:
        return Conflict(f"{service} {target}: another writer was first ({code})")
    if code in _FORBIDDEN:
        return Forbidden(f"{service} refuses {target} ({code}): {_FORBIDDEN[code]}")
    return Unavailable(f"{service} did not answer for {target} ({code})")


def read_parameter(client: "SSMClient", name: str, setting: str) -> str:
    """Reads a SecureString parameter, decrypted.

    `setting` is the setting that holds its name, so that errors say what to correct.
    """
    with translate_errors("SSM", f"the parameter {name} of {setting}"):
        return client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


class CallCounter:
    """Counts a session's calls by `service.Operation`, retries not included. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def watch(self, session: "boto3.Session") -> None:
        """Counts every call of the clients that this session makes from now on."""
        session.events.register("before-call", self._count)

    def take(self) -> dict[str, int]:
        """Returns the calls since the last time, and resets the count."""
        with self._lock:
            calls, self._calls = self._calls, Counter()
        return dict(calls)

    def _count(self, model: Any, **_: Any) -> None:
        name = f"{model.service_model.service_name}.{model.name}"
        with self._lock:
            self._calls[name] += 1
