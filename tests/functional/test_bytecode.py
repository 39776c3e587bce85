"""The bytecode that `make deploy` packages: of all that is loaded, and checked by its source."""

import marshal
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from ops.bytecode import bytecode_in_vendor, compile_loaded_modules
from ops.console import CommandError
from ops.stages import ROOT

# Bytes before the code in a bytecode file (PEP 552).
HEADER = 16


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources that are packaged."""
    copy = tmp_path / "checkout"
    no_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "chalicelib", copy / "chalicelib", ignore=no_caches)
    for part in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / part, copy)
    return copy


@pytest.fixture(scope="module")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    compile_loaded_modules(ROOT, folder)
    return folder


def list_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def walk_code(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from walk_code(each)


def test_all_our_modules_and_every_loaded_module_of_a_package_are_compiled(bytecode: Path) -> None:
    tag = sys.implementation.cache_tag
    ours = {
        str(path.parent.relative_to(ROOT) / "__pycache__" / f"{path.stem}.{tag}.pyc")
        for path in [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")]
    }
    found = list_files(bytecode)
    assert ours < found
    tops = {name.split("/", 1)[0] for name in found - ours}
    assert tops == {"aws_lambda_powertools", "chalice", "jmespath", "msgspec", "__pycache__"}


def test_tracebacks_will_name_the_paths_of_the_runtime(bytecode: Path) -> None:
    for path in bytecode.rglob("*.pyc"):
        for code in walk_code(marshal.loads(path.read_bytes()[HEADER:])):  # noqa: S302 - ours
            assert code.co_filename.startswith("/var/task/")


def test_only_the_bytecode_is_removed_afterwards(checkout: Path) -> None:
    kept = checkout / "vendor" / "theirs"
    kept.mkdir(parents=True)
    (kept / "module.py").write_text("")
    before = list_files(checkout)
    with bytecode_in_vendor(checkout):
        assert any(name.startswith("vendor/chalicelib/") for name in list_files(checkout))
    assert list_files(checkout) == before


def test_an_empty_vendor_folder_is_removed(checkout: Path) -> None:
    with bytecode_in_vendor(checkout):
        assert (checkout / "vendor").is_dir()
    assert not (checkout / "vendor").exists()


def test_bytecode_that_a_killed_run_left_behind_is_not_packaged(checkout: Path) -> None:
    left = checkout / "vendor" / "chalicelib" / "__pycache__" / "gone.cpython-311.pyc"
    left.parent.mkdir(parents=True)
    left.touch()
    with bytecode_in_vendor(checkout):
        assert not left.exists()


def test_bytecode_is_removed_if_packaging_fails(checkout: Path) -> None:
    with pytest.raises(CommandError, match="chalice failed"), bytecode_in_vendor(checkout):
        raise CommandError("chalice failed")
    assert not (checkout / "vendor").exists()


def test_an_app_that_cannot_be_imported_is_refused(
    checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout / "app.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(CommandError, match="cannot be imported; fix the error above"):
        compile_loaded_modules(checkout, checkout / "vendor")
    assert "No module named 'nowhere_to_be_found'" in capfd.readouterr().err


def test_a_changed_source_runs_instead_of_its_bytecode(checkout: Path) -> None:
    module = checkout / "chalicelib" / "domain" / "job.py"
    compile_loaded_modules(checkout, checkout)
    module.write_text("CHANGED = True\n")
    ran = subprocess.run(
        [sys.executable, "-c", "from chalicelib.domain import job; job.CHANGED"],
        cwd=checkout,
        env=dict(os.environ),
        check=False,
    )
    assert ran.returncode == 0
