"""Why a command ends: one line for people, whatever AWS or this machine had to say."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's, which is not a built-in one
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from chalicelib.domain.errors import ServiceError

_ACCESS = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
}
_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}


class Stop(Exception):
    """What happened, to what, and what to do, in one line."""


@contextmanager
def stopping(doing: str) -> Iterator[None]:
    """Turn whatever goes wrong with AWS while `doing` something into a `Stop`."""
    try:
        yield
    except ServiceError as error:
        raise Stop(f"{doing}: {error}") from error
    except (ClientError, BotoCoreError) as error:
        raise Stop(f"{doing}: {_said(error)}") from error


def _said(error: ClientError | BotoCoreError) -> str:
    match error:
        case NoRegionError():
            return "no region is set; export AWS_DEFAULT_REGION=… or set one in your AWS profile"
        case NoCredentialsError() | PartialCredentialsError():
            return "no AWS credentials were found; export AWS_PROFILE=… or sign in (aws sso login)"
        case ProfileNotFound():
            return f"{error}; export the name of a profile of yours as AWS_PROFILE"
        case ConnectionError():
            return f"AWS was not reached ({error}); check the network and the region"
        case ClientError():
            return _refused(error)
        case _:
            return " ".join(str(error).split())


def _refused(error: ClientError) -> str:
    code = error.response["Error"].get("Code", "unknown")
    text = " ".join(error.response["Error"].get("Message", "").split())
    if code in _ACCESS:
        return f"your credentials lack a permission ({text}); see docs/permissions.md"
    if code in _CREDENTIALS:
        return f"your credentials are not accepted ({code}); sign in again"
    return f"{text or 'AWS refused'} ({code}, {error.operation_name})"
