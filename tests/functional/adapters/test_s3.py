import io
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from chalicelib.adapters.s3 import PART, S3Files
from chalicelib.domain.errors import DeliveryError, Unavailable
from devstack.aws.server import AwsServer
from devstack.aws.session import make_session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.enable_socket

BUCKET = "reports"
KEY = "alerts/2026/01/31/message.csv"
NO_RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture(scope="module")
def client(server: AwsServer) -> Iterator["S3Client"]:
    session = make_session()
    with closing(session.client("s3", endpoint_url=server.url, config=NO_RETRIES)) as s3:
        yield s3


@pytest.fixture
def s3(server: AwsServer, client: "S3Client") -> "S3Client":
    server.reset()
    client.create_bucket(Bucket=BUCKET)
    return client


def catch_client_error(s3: "S3Client", operation: str, code: str) -> DeliveryError:
    files = S3Files(lambda: s3, BUCKET)
    with Stubber(s3) as stub:
        stub.add_client_error(operation, code)
        with pytest.raises(DeliveryError) as raised:
            files.put(KEY, [b"x"]) if operation == "put_object" else files.get(KEY)
    return raised.value


def test_a_file_is_stored_as_csv_with_its_checksum(s3: "S3Client") -> None:
    S3Files(lambda: s3, BUCKET).put(KEY, [b"a,b\r\n"])
    stored = s3.get_object(Bucket=BUCKET, Key=KEY, ChecksumMode="ENABLED")

    with closing(stored["Body"]) as body:
        assert body.read() == b"a,b\r\n"

    assert stored["ContentType"] == "text/csv; charset=utf-8"
    assert stored["ChecksumSHA256"]


def test_the_bucket_decides_how_files_are_encrypted(s3: "S3Client") -> None:
    sent: list[Mapping[str, Any]] = []

    def record(params: Mapping[str, Any], **_: Any) -> None:
        sent.append(params["headers"])

    s3.meta.events.register("before-call.s3.PutObject", record)
    S3Files(lambda: s3, BUCKET).put(KEY, [b"x"])
    s3.meta.events.unregister("before-call.s3.PutObject", record)
    assert not [name for name in sent[0] if "server-side-encryption" in name.lower()]


def test_a_file_of_megabytes_is_read_unchanged(s3: "S3Client") -> None:
    content = bytes(range(256)) * 4096 * 5
    files = S3Files(lambda: s3, BUCKET)

    files.put(KEY, [content])

    assert b"".join(files.get(KEY)) == content


def test_a_large_file_is_uploaded_in_parts_and_an_incomplete_upload_is_removed(
    s3: "S3Client",
) -> None:
    def pieces(number: int) -> Iterator[bytes]:
        return (b"x" * 1_000_000 for _ in range(number))

    files = S3Files(lambda: s3, BUCKET)
    files.put(KEY, pieces(20))
    assert s3.head_object(Bucket=BUCKET, Key=KEY)["ETag"].strip('"').endswith("-4")

    def fail_late() -> Iterator[bytes]:
        yield from pieces(20)
        raise Unavailable("the table does not answer")

    with pytest.raises(Unavailable):
        files.put(KEY, fail_late())
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_an_upload_reads_little_more_content_than_it_has_sent(s3: "S3Client") -> None:
    read: list[int] = []
    sent: list[int] = []

    def pieces() -> Iterator[bytes]:
        for each in range(40):
            read.append(each)
            yield b"x" * 1_000_000

    def record(**_: Any) -> None:
        sent.append(len(read))

    s3.meta.events.register("before-call.s3.UploadPart", record)
    S3Files(lambda: s3, BUCKET).put(KEY, pieces())
    s3.meta.events.unregister("before-call.s3.UploadPart", record)
    ahead = [pieces - number * PART // 1_000_000 for number, pieces in enumerate(sent)]
    assert max(ahead) <= PART // 1_000_000 + 2


@pytest.mark.parametrize("operation", ["put_object", "get_object"])
@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDenied", "policy"),
        ("AllAccessDisabled", "REPORTS_BUCKET"),
        ("NoSuchBucket", "REPORTS_BUCKET"),
        ("PermanentRedirect", "region"),
        ("KMS.DisabledException", "KMS key of REPORTS_BUCKET"),
        ("KMS.NotFoundException", "KMS key of REPORTS_BUCKET"),
        ("KMS.KMSInvalidStateException", "KMS key of REPORTS_BUCKET"),
    ],
)
def test_a_permanent_error_says_what_to_do(
    s3: "S3Client", operation: str, code: str, hint: str
) -> None:
    error = catch_client_error(s3, operation, code)

    assert (error.code, error.retryable) == (code, False)
    assert hint in error.hint


@pytest.mark.parametrize("operation", ["put_object", "get_object"])
@pytest.mark.parametrize(
    "code", ["SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "BrandNewCode"]
)
def test_any_other_error_can_be_retried(s3: "S3Client", operation: str, code: str) -> None:
    error = catch_client_error(s3, operation, code)
    assert (error.code, error.retryable, error.hint) == (code, True, "")


def test_the_error_of_a_missing_bucket_names_the_setting(s3: "S3Client") -> None:
    with pytest.raises(DeliveryError, match=r"NoSuchBucket: .*REPORTS_BUCKET") as raised:
        S3Files(lambda: s3, "no-such-bucket").put(KEY, [b"x"])

    assert not raised.value.retryable


def test_a_connection_error_can_be_retried(s3: "S3Client") -> None:
    def break_connection(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3.invalid")

    s3.meta.events.register("before-send.s3", break_connection)
    with pytest.raises(DeliveryError) as raised:
        S3Files(lambda: s3, BUCKET).get(KEY)
    s3.meta.events.unregister("before-send.s3", break_connection)
    assert (raised.value.code, raised.value.retryable) == ("EndpointConnectionError", True)


def test_an_incomplete_response_can_be_retried(s3: "S3Client") -> None:
    incomplete = StreamingBody(io.BytesIO(b"half a fi"), content_length=18)
    with Stubber(s3) as stub:
        stub.add_response("get_object", {"Body": incomplete})
        with pytest.raises(DeliveryError) as raised:
            list(S3Files(lambda: s3, BUCKET).get(KEY))

    assert (raised.value.code, raised.value.retryable) == ("IncompleteReadError", True)
