import py_compile
import zipfile
from collections import Counter
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

from ops.package import LARGEST_BYTES, Package, describe_package, find_faults, read_package

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


def test_a_good_package_has_no_faults() -> None:
    assert find_faults(package(*GOOD), "arm64") == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("boto3/__init__.py", "contains boto3"),
        ("botocore/data/x.json", "contains botocore"),
        ("inspec/inspec.yml", "contains inspec"),
        ("devstack/up.py", "contains devstack"),
        ("tests/fleet.py", "contains tests"),
        ("infra/data.yaml", "contains infra"),
        ("ops/__main__.py", "contains ops"),
        ("chalice/cli/__init__.py", "contains more than Chalice's runtime"),
        (
            "chalicelib/__pycache__/x.cpython-311.pyc",
            "contains bytecode of chalicelib/x.py without the source",
        ),
        ("__pycache__/boto3.cpython-311.pyc", "contains bytecode of boto3.py without the source"),
        ("msgspec/_core.cpython-311-x86_64-linux-gnu.so", "is not built for arm64"),
    ],
)
def test_unwanted_content_is_named(name: str, expected: str) -> None:
    (fault,) = find_faults(package(*GOOD, name), "arm64")

    assert expected in fault


def test_a_package_without_the_app_is_refused() -> None:
    faults = find_faults(package(*GOOD[2:5]), "arm64")

    assert faults == ["app.py is missing", "chalicelib is missing"]


def test_a_package_that_is_too_large_is_refused() -> None:
    (fault,) = find_faults(package(*GOOD, size=LARGEST_BYTES), "arm64")

    assert "the limit is 3,200,000" in fault


def test_reading_a_package_adds_up_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "deployment.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.py", "x" * 10)
        archive.writestr("chalicelib/a.py", "x" * 20)
        archive.writestr("chalicelib/b.py", "x" * 5)

    found = read_package(path)

    assert found.size == path.stat().st_size
    assert found.parts.most_common() == [("chalicelib", 25), ("app.py", 10)]
    assert describe_package(found).splitlines()[1].split() == ["25", "chalicelib"]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (PycInvalidationMode.CHECKED_HASH, []),
        (PycInvalidationMode.UNCHECKED_HASH, ["chalicelib/__pycache__/a.cpython-311.pyc"]),
        (PycInvalidationMode.TIMESTAMP, ["chalicelib/__pycache__/a.cpython-311.pyc"]),
    ],
)
def test_bytecode_must_be_checked_against_the_hash_of_its_source(
    tmp_path: Path, mode: PycInvalidationMode, expected: list[str]
) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    compiled = Path(py_compile.compile(str(source), doraise=True, invalidation_mode=mode) or "")
    path = tmp_path / "deployment.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(source, "chalicelib/a.py")
        archive.write(compiled, "chalicelib/__pycache__/a.cpython-311.pyc")
        archive.writestr("app.py", "")

    found = read_package(path)

    assert found.compiled == {"chalicelib/a.py"}
    assert [fault.split(" ", 1)[0] for fault in find_faults(found, "arm64")] == expected
