"""AWS errors in the domain's words: one table, by error code, never by message text."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import Conflict, Forbidden, ServiceError, Unavailable

_CONFLICTS = {"ConditionalCheckFailedException", "TransactionConflictException"}
_FORBIDDEN = {
    "AccessDenied": "allow the action in the function's policy",
    "AccessDeniedException": "allow the action in the function's policy",
    "UnrecognizedClientException": "check the credentials",
    "ExpiredTokenException": "renew the credentials",
    "InvalidSignatureException": "check the credentials and the clock",
    "ResourceNotFoundException": "create the table, or mend the setting that names it",
    "NoSuchBucket": "create the bucket, or mend REPORTS_BUCKET",
    "ParameterNotFound": "create the parameter, or mend the setting that names it",
    "InvalidKeyId": "enable the parameter's KMS key and let the function's role use it",
    "ValidationException": "check the setting that names it, or report this as a bug",
    "ValidationError": "an action of the transaction is refused: report this as a bug",
    "KMSAccessDeniedException": "allow kms:Decrypt for the function's role",
}


@contextmanager
def translate_errors(service: str, target: str) -> Iterator[None]:
    """Raise vendor errors of the block as `Conflict`, `Forbidden` or `Unavailable`.

    `target` names what was worked on (a table, a bucket key, a node). What is
    not known to be permanent counts as passing: the next pass tries again.
    """
    try:
        yield
    except ClientError as error:
        raise _translated(error, service, target) from error
    except BotoCoreError as error:
        raise Unavailable(f"{service} could not be reached for {target}: {error}") from error
    except KeyError as error:
        # an answer that is no answer, as of a proxy on the way: boto3 takes it for an empty one
        raise Unavailable(f"{service} answered for {target} without {error}") from error


def _translated(error: ClientError, service: str, target: str) -> ServiceError:
    code = error.response.get("Error", {}).get("Code", "unknown")
    if code == "TransactionCanceledException":
        reasons = {reason.get("Code", "None") for reason in error.response["CancellationReasons"]}
        code = next(iter(sorted(reasons - {"None"})), code)
        if reasons & {"ConditionalCheckFailed", "TransactionConflict"}:
            return Conflict(f"{service} {target}: somebody else wrote first ({code})")
    if code in _CONFLICTS:
        return Conflict(f"{service} {target}: somebody else wrote first ({code})")
    if code in _FORBIDDEN:
        return Forbidden(f"{service} refuses {target} ({code}): {_FORBIDDEN[code]}")
    return Unavailable(f"{service} did not answer for {target} ({code})")
