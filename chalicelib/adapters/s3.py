"""S3: keeps the CSV files of messages and months."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

CSV: Final = "text/csv; charset=utf-8"

_POLICY = "allow s3:PutObject and s3:GetObject on REPORTS_BUCKET in the function's policy"
_NAME = "set REPORTS_BUCKET to a bucket that exists"
_REGION = "set REPORTS_BUCKET to a bucket in the function's region"
_KEY = "enable the KMS key of REPORTS_BUCKET and let the function's role use it"
# What waiting does not mend, and who can: the codes of S3's error reference, and KMS's as S3
# passes them on. Every other code counts as passing.
_MEND: Final = {
    "AccessDenied": _POLICY,
    "AllAccessDisabled": "AWS has disabled REPORTS_BUCKET: ask AWS Support",
    "AccountProblem": "AWS has blocked the account: ask AWS Support",
    "InvalidAccessKeyId": "check the function's credentials",
    "SignatureDoesNotMatch": "check the function's credentials",
    "NoSuchBucket": _NAME,
    "InvalidBucketName": _NAME,
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "NoSuchKey": "the file is gone from REPORTS_BUCKET: restore it from an older version",
    "InvalidObjectState": "the file was archived: restore it in REPORTS_BUCKET",
    "KMS.AccessDeniedException": _KEY,
    "KMS.DisabledException": _KEY,
    "KMS.KMSInvalidStateException": _KEY,
    "KMS.NotFoundException": _KEY,
}


class S3Files:
    """`Files` in one bucket. Encryption is left to the bucket, which may have a key of its own."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, content: bytes) -> None:
        """Store or replace; S3 checks the SHA-256 of what arrives and keeps it."""
        with _delivery_errors():
            self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType=CSV,
                ChecksumAlgorithm="SHA256",
            )

    def get(self, key: str) -> bytes:
        """Read what was stored, checked against its checksum."""
        with _delivery_errors():
            answer = self._client.get_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
            with closing(answer["Body"]) as body:
                return body.read()


@contextmanager
def _delivery_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        hint = _MEND.get(code, "")
        raise DeliveryError(code, retryable=not hint, hint=hint) from error
    except BotoCoreError as error:
        raise DeliveryError(type(error).__name__, retryable=True) from error
