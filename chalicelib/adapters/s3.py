"""S3: keeps the CSV files of messages and months."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import cached_property
from io import BufferedReader, RawIOBase
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.domain.errors import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

CSV: Final = "text/csv; charset=utf-8"
# Bytes of a part, the most of a file that is in memory at once; 10,000 parts are S3's limit.
PART: Final = 8 * 1024 * 1024
# Bytes that are read at once.
PIECE: Final = 64 * 1024

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
    """`Files` in one bucket. Encryption is left to the bucket, which may have a key of its own.

    `connect` makes the client at the first use: most passes store nothing.
    """

    def __init__(self, connect: Callable[[], S3Client], bucket: str) -> None:
        self._connect = connect
        self._bucket = bucket

    @cached_property
    def _client(self) -> S3Client:
        return self._connect()

    def put(self, key: str, content: Iterable[bytes]) -> None:
        """Store or replace; S3 checks the SHA-256 of what arrives and keeps it.

        What is larger than a part goes up part by part, one after the other, and is there
        when the last one has arrived.
        """
        # an S3 client has imported it by now; the functions that have none need not
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415

        with _delivery_errors():
            self._client.upload_fileobj(
                BufferedReader(_Pieces(content)),
                self._bucket,
                key,
                ExtraArgs={"ContentType": CSV, "ChecksumAlgorithm": "SHA256"},
                Config=TransferConfig(
                    multipart_threshold=PART, multipart_chunksize=PART, use_threads=False
                ),
            )

    def get(self, key: str) -> Iterator[bytes]:
        """Read what was stored, checked against its checksum where it came in one part."""
        with _delivery_errors():
            answer = self._client.get_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        return _read(answer["Body"])


def _read(stored: StreamingBody) -> Iterator[bytes]:
    with _delivery_errors(), closing(stored) as body:
        yield from body.iter_chunks(PIECE)


class _Pieces(RawIOBase):
    """Pieces of bytes as a file that can be read once."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # a Buffer has no name before Python 3.12
        self._rest = self._rest or next(filter(None, self._pieces), b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


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
