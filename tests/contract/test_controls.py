"""What profiles say of their controls: in memory, in the package, in the bucket."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec
import pytest

from chalicelib.adapters.s3 import (
    CONTROLS_KEPT,
    CONTROLS_KEY,
    MOST_CONTROL_BYTES,
    StoredControls,
    decode_controls,
)
from chalicelib.domain.control import ControlText
from chalicelib.domain.errors import DeliveryError
from chalicelib.usecases.ports import Controls
from tests.fakes import MemoryControls, MemoryFiles
from tests.fleet import FakeClock

TEXTS = {
    "ec2-ssh-01": ControlText("PermitRootLogin as sshd reports it.", "Set it to no."),
    "ec2-ssh-02": ControlText(fix="Größer"),
}
CONTENT = msgspec.json.encode(TEXTS)
Build = Callable[[], Controls]


def build_packaged() -> Controls:
    return StoredControls(decode_controls(CONTENT), MemoryFiles(), FakeClock())


def build_stored() -> Controls:
    files = MemoryFiles()
    files.put(CONTROLS_KEY, [CONTENT[:20], CONTENT[20:]])
    return StoredControls({}, files, FakeClock())


@pytest.fixture(params=["memory", "package", "bucket"])
def controls(request: pytest.FixtureRequest) -> Controls:
    builders: dict[str, Build] = {
        "memory": lambda: MemoryControls(dict(TEXTS)),
        "package": build_packaged,
        "bucket": build_stored,
    }
    return builders[request.param]()


def test_what_a_control_says_is_found_by_its_id(controls: Controls) -> None:
    for _ in range(2):
        assert {each: controls.find(each) for each in TEXTS} == TEXTS


@pytest.mark.parametrize("control_id", ["", "ec2-ssh-03", "EC2-SSH-01"])
def test_another_control_is_not_found(controls: Controls, control_id: str) -> None:
    assert controls.find(control_id) is None


class CountedFiles(MemoryFiles):
    """Counts the reads."""

    reads = 0

    def get(self, key: str) -> Iterator[bytes]:
        """Reads what is stored."""
        self.reads += 1
        return super().get(key)


def test_the_bucket_is_read_once_in_a_while_and_never_for_what_the_package_has() -> None:
    files, clock = CountedFiles(), FakeClock()
    controls = StoredControls(TEXTS, files, clock)

    assert controls.find("ec2-ssh-01") == TEXTS["ec2-ssh-01"]
    assert files.reads == 0

    assert [controls.find("other-1"), controls.find("other-2")] == [None, None]
    assert files.reads == 1

    other = {"other-1": ControlText("A"), "ec2-ssh-01": ControlText("B")}
    files.put(CONTROLS_KEY, [msgspec.json.encode(other)])
    clock.forward(CONTROLS_KEPT - timedelta(seconds=1))
    assert controls.find("other-1") is None
    clock.forward(timedelta(seconds=1))
    assert controls.find("other-1") == other["other-1"]
    assert controls.find("ec2-ssh-01") == TEXTS["ec2-ssh-01"]
    assert files.reads == 2

    clock.forward(-CONTROLS_KEPT)
    assert controls.find("other-1") == other["other-1"]
    assert files.reads == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"a": 1}',
        b'{"a": {"fix": 1}}',
        b'{"a": {"fix": "\xff"}}',
        b'{"a": {"fix": "' + b"x" * MOST_CONTROL_BYTES + b'"}}',
    ],
)
def test_a_file_that_cannot_be_read_has_no_control(content: bytes) -> None:
    files = PiecedFiles(content, MOST_CONTROL_BYTES // 16)

    assert StoredControls({}, files, FakeClock()).find("a") is None
    assert decode_controls(content[:100]) == {}


class PiecedFiles(MemoryFiles):
    """Reads a content in pieces of a size, as S3 does."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__()
        self._pieces = [content[at : at + size] for at in range(0, len(content), size)]

    def get(self, key: str) -> Iterator[bytes]:  # noqa: ARG002 - there is one content
        """Reads the content."""
        return iter(self._pieces)


def test_a_bucket_that_refuses_has_no_control_for_a_while() -> None:
    files, clock = MemoryFiles(), FakeClock()
    files.put(CONTROLS_KEY, [CONTENT])
    files.fail(DeliveryError("AccessDenied", retryable=False))
    controls = StoredControls({}, files, clock)

    assert [controls.find("ec2-ssh-01"), controls.find("ec2-ssh-01")] == [None, None]
    clock.forward(CONTROLS_KEPT)
    assert controls.find("ec2-ssh-01") == TEXTS["ec2-ssh-01"]
