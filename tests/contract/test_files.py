from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.s3 import S3Files
from chalicelib.domain.errors import DeliveryError, Unavailable
from chalicelib.usecases.ports import Files
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from tests.fakes import MemoryFiles

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

pytestmark = pytest.mark.enable_socket

BUCKET = "reports"


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def s3(server: AwsServer) -> Iterator["S3Client"]:
    with closing(make_session().client("s3", endpoint_url=server.url)) as client:
        yield client


@pytest.fixture(params=["memory", "s3"])
def files(request: pytest.FixtureRequest, server: AwsServer, s3: "S3Client") -> Files:
    if request.param == "memory":
        return MemoryFiles()
    server.reset()
    s3.create_bucket(Bucket=BUCKET)
    return S3Files(lambda: s3, BUCKET)


def read(files: Files, key: str) -> bytes:
    return b"".join(files.get(key))


@pytest.mark.parametrize("content", [b"", b'\xef\xbb\xbf"title"\r\n', bytes(range(256)) * 500])
def test_a_file_is_read_unchanged(files: Files, content: bytes) -> None:
    files.put("alerts/2026/01/31/message.csv", [content])
    assert read(files, "alerts/2026/01/31/message.csv") == content


def test_pieces_of_any_size_are_one_file(files: Files) -> None:
    pieces = [b"", b"a" * 70_000, b"", b"b", b"c" * 9_000_000, b"d" * 9_000_000, b""]
    files.put("monthly/2026/01/a.csv", iter(pieces))

    assert read(files, "monthly/2026/01/a.csv") == b"".join(pieces)


def test_incomplete_content_is_not_stored(files: Files) -> None:
    files.put("monthly/2026/01/a.csv", [b"whole"])

    def pieces() -> Iterator[bytes]:
        yield b"x" * 20_000_000
        raise Unavailable("the table does not answer")

    with pytest.raises(Unavailable, match="the table"):
        files.put("monthly/2026/01/a.csv", pieces())
    assert read(files, "monthly/2026/01/a.csv") == b"whole"


def test_a_reader_may_stop_early(files: Files) -> None:
    files.put("monthly/2026/01/a.csv", [b"x" * 1_000_000])
    pieces = files.get("monthly/2026/01/a.csv")
    assert next(pieces).startswith(b"x")

    del pieces
    assert read(files, "monthly/2026/01/a.csv") == b"x" * 1_000_000


def test_a_second_put_replaces_the_first(files: Files) -> None:
    files.put("monthly/2026/01/a.csv", [b"first"])
    files.put("monthly/2026/01/a.csv", [b"second"])

    assert read(files, "monthly/2026/01/a.csv") == b"second"


def test_similar_keys_are_different_files(files: Files) -> None:
    keys = ["a", "a/", "a/b", "A", "ä", "a b", "a+b", "a%20b"]
    for key in keys:
        files.put(key, [key.encode()])

    assert [read(files, key) for key in keys] == [key.encode() for key in keys]


def test_an_unknown_key_cannot_be_read(files: Files) -> None:
    with pytest.raises(DeliveryError) as failed:
        files.get("alerts/none.csv")

    assert (failed.value.code, failed.value.retryable) == ("NoSuchKey", False)
