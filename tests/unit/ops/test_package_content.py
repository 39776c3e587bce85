import py_compile
import zipfile
from collections import Counter
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

from ops.package_content import LARGEST_BYTES, Package, faults, read

GOOD = (
    "app.py",
    "chalicelib/bootstrap.py",
    "chalice/__init__.py",
    "chalice/app.py",
    "msgspec/_core.cpython-311-aarch64-linux-gnu.so",
    "__pycache__/app.cpython-311.pyc",
    "chalice/__pycache__/__init__.cpython-311.pyc",
    "chalicelib/__pycache__/bootstrap.cpython-311.pyc",
)


def package(*names: str, size: int = 2_000_000) -> Package:
    return Package(size, names, Counter())


def test_a_package_as_it_should_be_has_no_faults() -> None:
    assert faults(package(*GOOD), "arm64") == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("boto3/__init__.py", "boto3 is in it"),
        ("botocore/data/x.json", "botocore is in it"),
        ("inspec/inspec.yml", "inspec is in it"),
        ("devstack/up.py", "devstack is in it"),
        ("tests/fleet.py", "tests is in it"),
        ("infra/data.yaml", "infra is in it"),
        ("chalice/cli/__init__.py", "Chalice is in it beyond its runtime"),
        ("chalicelib/__pycache__/x.cpython-311.pyc", "bytecode of chalicelib/x.py is in it"),
        ("__pycache__/boto3.cpython-311.pyc", "bytecode of boto3.py is in it"),
        ("msgspec/_core.cpython-311-x86_64-linux-gnu.so", "is not for arm64"),
    ],
)
def test_what_does_not_belong_there_is_named(name: str, said: str) -> None:
    (fault,) = faults(package(*GOOD, name), "arm64")
    assert said in fault


def test_a_package_without_the_app_is_refused() -> None:
    assert faults(package(*GOOD[2:5]), "arm64") == ["app.py is missing", "chalicelib is missing"]


def test_a_package_that_is_too_large_is_refused() -> None:
    (fault,) = faults(package(*GOOD, size=LARGEST_BYTES), "arm64")
    assert "3,000,000 is the limit" in fault


def test_a_file_is_read_with_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "deployment.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", "x" * 10)
        archive.writestr("chalicelib/a.py", "x" * 20)
        archive.writestr("chalicelib/b.py", "x" * 5)
    found = read(path)
    assert found.size == path.stat().st_size
    assert found.parts.most_common() == [("chalicelib", 25), ("app.py", 10)]


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (PycInvalidationMode.CHECKED_HASH, []),
        (PycInvalidationMode.UNCHECKED_HASH, ["chalicelib/__pycache__/a.cpython-311.pyc"]),
        (PycInvalidationMode.TIMESTAMP, ["chalicelib/__pycache__/a.cpython-311.pyc"]),
    ],
)
def test_bytecode_has_to_be_checked_by_the_hash_of_its_source(
    tmp_path: Path, mode: PycInvalidationMode, said: list[str]
) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    compiled = Path(py_compile.compile(str(source), doraise=True, invalidation_mode=mode) or "")
    path = tmp_path / "deployment.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(source, "chalicelib/a.py")
        archive.write(compiled, "chalicelib/__pycache__/a.cpython-311.pyc")
        archive.writestr("app.py", "")
    found = read(path)
    assert found.compiled == {"chalicelib/a.py"}
    assert [fault.split(" ", 1)[0] for fault in faults(found, "arm64")] == said
