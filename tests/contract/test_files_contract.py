from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.memory_world import MemoryFiles
from chalicelib.adapters.s3 import S3Files
from chalicelib.domain.errors import DeliveryError
from chalicelib.usecases.ports import Files
from devstack.aws.server import AwsServer, aws_server
from devstack.aws.session import local_session

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.enable_socket

BUCKET = "reports"


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with aws_server() as running:
        yield running


@pytest.fixture(scope="module")
def s3(server: AwsServer) -> Iterator["S3Client"]:
    with closing(local_session().client("s3", endpoint_url=server.url)) as client:
        yield client


@pytest.fixture(params=["memory", "s3"])
def files(request: pytest.FixtureRequest, server: AwsServer, s3: "S3Client") -> Files:
    if request.param == "memory":
        return MemoryFiles()
    server.reset()
    s3.create_bucket(Bucket=BUCKET)
    return S3Files(s3, BUCKET)


@pytest.mark.parametrize("content", [b"", b'\xef\xbb\xbf"title"\r\n', bytes(range(256)) * 500])
def test_what_is_put_is_got(files: Files, content: bytes) -> None:
    files.put("alerts/2026/01/31/message.csv", content)
    assert files.get("alerts/2026/01/31/message.csv") == content


def test_a_second_put_replaces_the_first(files: Files) -> None:
    files.put("monthly/2026/01/a.csv", b"first")
    files.put("monthly/2026/01/a.csv", b"second")
    assert files.get("monthly/2026/01/a.csv") == b"second"


def test_keys_do_not_touch_each_other(files: Files) -> None:
    keys = ["a", "a/", "a/b", "A", "ä", "a b", "a+b", "a%20b"]
    for key in keys:
        files.put(key, key.encode())
    assert [files.get(key) for key in keys] == [key.encode() for key in keys]


def test_what_was_never_put_cannot_be_had(files: Files) -> None:
    with pytest.raises(DeliveryError) as caught:
        files.get("alerts/none.csv")
    assert (caught.value.code, caught.value.retryable) == ("NoSuchKey", False)
