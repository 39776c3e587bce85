"""The operator's AWS account, and the errors of AWS in one line for people."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's class, not the built-in
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from chalicelib.domain.errors import ServiceError
from ops.console import CommandError
from ops.stages import Stage

_MISSING_PERMISSION = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
}
_BAD_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The AWS account and region that a command works on. `id` has twelve digits."""

    session: boto3.Session
    id: str
    region: str


def open_session() -> boto3.Session:
    """Open a session that has a region. Its credentials are not checked."""
    with explain_errors("AWS"):
        session = boto3.Session()
        if session.region_name is None:
            raise NoRegionError
    return session


def find_account(stage: Stage) -> Account:
    """Ask AWS for the account of the operator's credentials.

    Raises `CommandError` if the stage belongs to another account or region.
    """
    session = open_session()
    with explain_errors("AWS"):
        account_id = session.client("sts").get_caller_identity()["Account"]
    account = Account(session, account_id, session.region_name)
    for home in stage.homes:
        if (home.account_id, home.region) != (account.id, account.region):
            raise CommandError(
                f"stage {stage.name} is of account {home.account_id} in {home.region} "
                f"({home.file}), you are in {account.id} in {account.region}; sign in there, or "
                f"make a stage for this one: python -m ops stage copy {stage.name} NAME"
            )
    return account


@contextmanager
def explain_errors(subject: str) -> Iterator[None]:
    """Turn an error of AWS or of the service into a `CommandError` that names `subject`."""
    try:
        yield
    except ServiceError as error:
        raise CommandError(f"{subject}: {error}") from error
    except (ClientError, BotoCoreError) as error:
        raise CommandError(f"{subject}: {_explain(error)}") from error


def _explain(error: ClientError | BotoCoreError) -> str:
    match error:
        case NoRegionError():
            return "no region is set; export AWS_DEFAULT_REGION=… or set it in your AWS profile"
        case NoCredentialsError() | PartialCredentialsError():
            return "no AWS credentials were found; export AWS_PROFILE=… or sign in (aws sso login)"
        case ProfileNotFound():
            return f"{error}; set AWS_PROFILE to one of your profiles"
        case ConnectionError():
            return f"cannot reach AWS ({error}); check the network and the region"
        case ClientError():
            return _explain_refusal(error)
        case _:
            return " ".join(str(error).split())


def _explain_refusal(error: ClientError) -> str:
    code = error.response["Error"].get("Code", "unknown")
    text = " ".join(error.response["Error"].get("Message", "").split())
    if code in _MISSING_PERMISSION:
        return f"your credentials lack a permission ({text}); see docs/permissions.md"
    if code in _BAD_CREDENTIALS:
        return f"AWS does not accept your credentials ({code}); sign in again"
    return f"{text or 'AWS refused the request'} ({code}, {error.operation_name})"
