"""The bytecode that `make deploy` packs: of all that is loaded, and never against its source."""

import marshal
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from ops import bytecode
from ops.stages import ROOT
from ops.stop import Stop

# Of a file of bytecode, what stands before the code.
HEADER = 16


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is packaged."""
    copy = tmp_path / "checkout"
    for part in ("chalicelib", "ops"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("app.py", "requirements.txt"):
        shutil.copy(ROOT / part, copy)
    return copy


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    bytecode.write(ROOT, folder)
    return folder


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def constants(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from constants(each)


def test_all_of_ours_is_compiled_and_of_the_packages_what_is_loaded(compiled: Path) -> None:
    tag = sys.implementation.cache_tag
    ours = {
        str(path.parent.relative_to(ROOT) / "__pycache__" / f"{path.stem}.{tag}.pyc")
        for path in [ROOT / "app.py", *(ROOT / "chalicelib").rglob("*.py")]
    }
    found = files(compiled)
    assert ours < found
    tops = {name.split("/", 1)[0] for name in found - ours}
    assert tops == {"aws_lambda_powertools", "chalice", "jmespath", "msgspec", "__pycache__"}


def test_the_files_name_the_paths_of_the_runtime(compiled: Path) -> None:
    for path in compiled.rglob("*.pyc"):
        for code in constants(marshal.loads(path.read_bytes()[HEADER:])):  # noqa: S302 - ours
            assert code.co_filename.startswith("/var/task/")


def test_nothing_is_left_but_what_people_keep_there(checkout: Path) -> None:
    kept = checkout / "vendor" / "theirs"
    kept.mkdir(parents=True)
    (kept / "module.py").write_text("")
    before = files(checkout)
    with bytecode.vendored(checkout):
        assert any(name.startswith("vendor/chalicelib/") for name in files(checkout))
    assert files(checkout) == before


def test_the_folder_goes_with_its_files(checkout: Path) -> None:
    with bytecode.vendored(checkout):
        assert (checkout / "vendor").is_dir()
    assert not (checkout / "vendor").exists()


def test_what_somebody_left_who_was_killed_is_not_packed(checkout: Path) -> None:
    left = checkout / "vendor" / "chalicelib" / "__pycache__" / "gone.cpython-311.pyc"
    left.parent.mkdir(parents=True)
    left.touch()
    with bytecode.vendored(checkout):
        assert not left.exists()


def test_it_goes_as_well_where_packaging_fails(checkout: Path) -> None:
    with pytest.raises(Stop, match="chalice failed"), bytecode.vendored(checkout):
        raise Stop("chalice failed")
    assert not (checkout / "vendor").exists()


def test_an_app_that_cannot_be_imported_stops_it(
    checkout: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout / "app.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(Stop, match="cannot be imported, see above"):
        bytecode.write(checkout, checkout / "vendor")
    assert "No module named 'nowhere_to_be_found'" in capfd.readouterr().err


def test_a_source_that_is_another_one_is_run_all_the_same(checkout: Path) -> None:
    module = checkout / "chalicelib" / "domain" / "job.py"
    bytecode.write(checkout, checkout)
    module.write_text("CHANGED = True\n")
    ran = subprocess.run(
        [sys.executable, "-c", "from chalicelib.domain import job; job.CHANGED"],
        cwd=checkout,
        env=dict(os.environ),
        check=False,
    )
    assert ran.returncode == 0
