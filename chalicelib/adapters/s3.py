"""S3: keeps the CSV files of messages and months, is an output, and has texts of controls."""

from __future__ import annotations

from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from io import BufferedReader, RawIOBase
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from chalicelib.domain.control import ControlText
from chalicelib.domain.errors import DeliveryError
from chalicelib.usecases.ports import StepReceipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

    from chalicelib.domain.message import Message
    from chalicelib.usecases.ports import Clock, Files, ReadCsv

NAME: Final = "s3"
# The step of a file is this and the file's name.
STORE: Final = f"{NAME}.store:"
# Hexadecimal digits of an identity.
IDENTITY: Final = 16
CSV: Final = "text/csv; charset=utf-8"
# Bytes of a part, the least that S3 takes. At most one part of a file is in memory, and S3
# allows 10,000 parts.
PART: Final = 5 * 1024 * 1024
# Bytes read at once.
PIECE: Final = 64 * 1024

# What profiles say of their controls: in the package (ops/controls.py), and in the bucket.
CONTROLS_KEY: Final = "controls.json"
MOST_CONTROL_BYTES: Final = 1024 * 1024
CONTROLS_KEPT: Final = timedelta(minutes=15)

_POLICY = "allow s3:PutObject and s3:GetObject on REPORTS_BUCKET in the function's policy"
_NAME = "set REPORTS_BUCKET to a bucket that exists"
_REGION = "set REPORTS_BUCKET to a bucket in the function's region"
_KEY = "enable the KMS key of REPORTS_BUCKET and let the function's role use it"
# Only a person can mend these, and how: codes of S3's error reference, and codes of KMS that S3
# passes on. Any other code may pass by itself.
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
    """`Files` in one bucket. The bucket's default encryption applies.

    `connect` makes the client on first use, because most scans store nothing.
    """

    def __init__(self, connect: Callable[[], S3Client], bucket: str) -> None:
        self._connect = connect
        self._bucket = bucket

    @cached_property
    def _client(self) -> S3Client:
        return self._connect()

    def put(self, key: str, content: Iterable[bytes]) -> None:
        """Stores or replaces a file. S3 verifies its SHA-256 and stores that too.

        A file larger than a part is uploaded part by part. It appears when the
        last part has arrived.
        """
        # importing it takes time, and functions that store nothing need no S3 client
        from boto3.s3.transfer import TransferConfig  # noqa: PLC0415

        with _translate_errors():
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
        """Reads a file piece by piece. Its checksum is verified if it was stored in one part."""
        with _translate_errors():
            response = self._client.get_object(Bucket=self._bucket, Key=key, ChecksumMode="ENABLED")
        return _read_pieces(response["Body"])


class StoredControls:
    """`Controls`: those of the package, then those that an operator put into the bucket.

    A file that is missing or cannot be read has no control. The bucket is read at most once in
    `CONTROLS_KEPT`, and only for a control that the package does not know.
    """

    def __init__(self, packaged: Mapping[str, ControlText], files: Files, clock: Clock) -> None:
        self._packaged = packaged
        self._files = files
        self._clock = clock
        self._read_at: datetime | None = None
        self._stored: Mapping[str, ControlText] = {}

    def find(self, control_id: str) -> ControlText | None:
        """Finds what a control says."""
        return self._packaged.get(control_id) or self._read_stored().get(control_id)

    def _read_stored(self) -> Mapping[str, ControlText]:
        now = self._clock()
        if self._read_at is None or not timedelta() <= now - self._read_at < CONTROLS_KEPT:
            self._read_at = now
            try:
                pieces = islice(self._files.get(CONTROLS_KEY), MOST_CONTROL_BYTES // PIECE)
                self._stored = decode_controls(b"".join(pieces))
            except DeliveryError:
                self._stored = {}
        return self._stored


def decode_controls(content: bytes) -> Mapping[str, ControlText]:
    """Reads what profiles say, by control; nothing if it has another form."""
    try:
        return msgspec.json.decode(content, type=dict[str, ControlText])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


class S3Output(Struct, frozen=True):
    """`Output` over a bucket of this name. A file's receipt is its key."""

    files: Files
    bucket: str

    @property
    def name(self) -> str:
        """`s3`."""
        return NAME

    def list_steps(self, message: Message) -> tuple[str, ...]:
        """Each file that was not stored before the message was written."""
        return tuple(f"{STORE}{file.name}" for file in message.files if not file.stored)

    def take(self, step: str, message: Message, read_csv: ReadCsv) -> StepReceipt:
        """Stores a file."""
        file = message.get_file(step.removeprefix(STORE))
        self.files.put(file.key, read_csv(file))
        return StepReceipt(file.key)

    def identity(self) -> str:
        """Changes with the bucket."""
        return sha256(self.bucket.encode()).hexdigest()[:IDENTITY]


def _read_pieces(body: StreamingBody) -> Iterator[bytes]:
    with _translate_errors(), closing(body):
        yield from body.iter_chunks(PIECE)


class _Pieces(RawIOBase):
    """A file object over pieces of bytes. It can be read once."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # collections.abc.Buffer needs Python 3.12
        self._rest = self._rest or next(filter(None, self._pieces), b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raises errors of boto3 as `DeliveryError`, by their code."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        hint = _MEND.get(code, "")
        raise DeliveryError(code, retryable=not hint, hint=hint) from error
    except BotoCoreError as error:
        raise DeliveryError(type(error).__name__, retryable=True) from error
