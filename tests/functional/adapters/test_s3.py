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


def refused(s3: "S3Client", operation: str, code: str) -> DeliveryError:
    files = S3Files(lambda: s3, BUCKET)
    with Stubber(s3) as answers:
        answers.add_client_error(operation, code)
        with pytest.raises(DeliveryError) as caught:
            files.put(KEY, [b"x"]) if operation == "put_object" else files.get(KEY)
    return caught.value


def test_a_file_is_stored_as_csv_with_its_checksum(s3: "S3Client") -> None:
    S3Files(lambda: s3, BUCKET).put(KEY, [b"a,b\r\n"])
    stored = s3.get_object(Bucket=BUCKET, Key=KEY, ChecksumMode="ENABLED")
    with closing(stored["Body"]) as body:
        assert body.read() == b"a,b\r\n"
    assert stored["ContentType"] == "text/csv; charset=utf-8"
    assert stored["ChecksumSHA256"]


def test_encryption_is_left_to_the_bucket(s3: "S3Client") -> None:
    sent: list[Mapping[str, Any]] = []

    def record(params: Mapping[str, Any], **_: Any) -> None:
        sent.append(params["headers"])

    s3.meta.events.register("before-call.s3.PutObject", record)
    S3Files(lambda: s3, BUCKET).put(KEY, [b"x"])
    s3.meta.events.unregister("before-call.s3.PutObject", record)
    assert not [name for name in sent[0] if "server-side-encryption" in name.lower()]


def test_a_file_of_megabytes_comes_back_whole(s3: "S3Client") -> None:
    content = bytes(range(256)) * 4096 * 5
    files = S3Files(lambda: s3, BUCKET)
    files.put(KEY, [content])
    assert b"".join(files.get(KEY)) == content


def test_what_is_larger_than_a_part_goes_up_in_parts_and_leaves_none_behind(
    s3: "S3Client",
) -> None:
    def pieces(number: int) -> Iterator[bytes]:
        return (b"x" * 1_000_000 for _ in range(number))

    files = S3Files(lambda: s3, BUCKET)
    files.put(KEY, pieces(20))
    assert s3.head_object(Bucket=BUCKET, Key=KEY)["ETag"].strip('"').endswith("-3")

    def broken() -> Iterator[bytes]:
        yield from pieces(20)
        raise Unavailable("the table does not answer")

    with pytest.raises(Unavailable):
        files.put(KEY, broken())
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)


def test_no_more_is_asked_for_than_a_part_holds(s3: "S3Client") -> None:
    asked: list[int] = []
    sent: list[int] = []

    def pieces() -> Iterator[bytes]:
        for each in range(40):
            asked.append(each)
            yield b"x" * 1_000_000

    def note(**_: Any) -> None:
        sent.append(len(asked))

    s3.meta.events.register("before-call.s3.UploadPart", note)
    S3Files(lambda: s3, BUCKET).put(KEY, pieces())
    s3.meta.events.unregister("before-call.s3.UploadPart", note)
    ahead = [pieces - number * PART // 1_000_000 for number, pieces in enumerate(sent)]
    assert max(ahead) <= PART // 1_000_000 + 2


@pytest.mark.parametrize("operation", ["put_object", "get_object"])
@pytest.mark.parametrize(
    ("code", "named"),
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
def test_a_permanent_refusal_says_what_to_mend(
    s3: "S3Client", operation: str, code: str, named: str
) -> None:
    error = refused(s3, operation, code)
    assert (error.code, error.retryable) == (code, False)
    assert named in error.hint


@pytest.mark.parametrize("operation", ["put_object", "get_object"])
@pytest.mark.parametrize(
    "code", ["SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "BrandNewCode"]
)
def test_every_other_refusal_is_passing(s3: "S3Client", operation: str, code: str) -> None:
    error = refused(s3, operation, code)
    assert (error.code, error.retryable, error.hint) == (code, True, "")


def test_a_bucket_that_is_not_there_is_named_by_its_setting(s3: "S3Client") -> None:
    with pytest.raises(DeliveryError, match=r"NoSuchBucket: .*REPORTS_BUCKET") as caught:
        S3Files(lambda: s3, "no-such-bucket").put(KEY, [b"x"])
    assert not caught.value.retryable


def test_an_s3_out_of_reach_is_passing(s3: "S3Client") -> None:
    def unplug(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://s3.invalid")

    s3.meta.events.register("before-send.s3", unplug)
    with pytest.raises(DeliveryError) as caught:
        S3Files(lambda: s3, BUCKET).get(KEY)
    s3.meta.events.unregister("before-send.s3", unplug)
    assert (caught.value.code, caught.value.retryable) == ("EndpointConnectionError", True)


def test_an_answer_cut_short_is_passing(s3: "S3Client") -> None:
    cut = StreamingBody(io.BytesIO(b"half a fi"), content_length=18)
    with Stubber(s3) as answers:
        answers.add_response("get_object", {"Body": cut})
        with pytest.raises(DeliveryError) as caught:
            list(S3Files(lambda: s3, BUCKET).get(KEY))
    assert (caught.value.code, caught.value.retryable) == ("IncompleteReadError", True)
