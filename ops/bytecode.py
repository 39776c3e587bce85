"""Compiles the modules that a function loads, because Lambda cannot keep bytecode.

Without it each new environment compiles everything that it imports, a quarter to
a third of its start. Modules that nothing loads are left out to keep the package
small. Each file holds the hash of its source (PEP 552): Python ignores the file
if the source in the package is different, or if Python itself is.
"""

import json
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import distribution
from importlib.util import cache_from_source
from pathlib import Path

from ops.console import CommandError

# Chalice packages the content of this folder of a checkout as it is.
VENDOR = "vendor"
# Lambda unpacks the code here, so tracebacks name this path.
TASK = Path("/var/task")
# Chalice packages its own runtime, which requirements.txt does not name.
_CHALICE = "chalice"
# Imports the app in an interpreter of its own: the modules must be those that the app loads.
_LIST_LOADED_FILES = (
    "import json, sys, app;"
    "print(json.dumps([getattr(each, '__file__', None) for each in sys.modules.values()]))"
)


@contextmanager
def bytecode_in_vendor(root: Path) -> Iterator[None]:
    """Keep the bytecode in `vendor` inside the block, and remove it afterwards."""
    folder = root / VENDOR
    _remove_bytecode(folder)  # left behind if an earlier run was killed
    try:
        compile_loaded_modules(root, folder)
        yield
    finally:
        _remove_bytecode(folder)


def compile_loaded_modules(root: Path, folder: Path) -> None:
    """Compile the modules that the app in the checkout `root` loads.

    `folder` gets the layout of the package. Raises `CommandError` if the app
    cannot be imported.
    """
    for name, source in _find_loaded_modules(root).items():
        py_compile.compile(
            source,
            cache_from_source(str(folder / name)),
            dfile=str(TASK / name),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
        )


def _find_loaded_modules(root: Path) -> dict[str, str]:
    """Map each path in the package to its source: all our modules, and packages as loaded."""
    loaded = _import_app(root)
    ours = {str(path.relative_to(root)): str(path) for path in (root / "chalicelib").rglob("*.py")}
    packaged = {
        str(file): str(package.locate_file(file))
        for package in map(distribution, (_CHALICE, *_read_requirements(root)))
        for file in package.files or ()
        if file.suffix == ".py"
    }
    theirs = {name: path for name, path in packaged.items() if path in loaded}
    return {"app.py": str(root / "app.py"), **ours, **theirs}


def _import_app(root: Path) -> set[str]:
    """Return the files of all modules that importing the app loads."""
    completed = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", _LIST_LOADED_FILES],
        cwd=root,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        check=False,
    )
    if completed.returncode:
        raise CommandError("app.py cannot be imported; fix the error above and run this again")
    return set(json.loads(completed.stdout))


def _read_requirements(root: Path) -> list[str]:
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line.split("==", 1)[0] for line in lines if "==" in line]


def _remove_bytecode(folder: Path) -> None:
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
        _remove_empty_folders(cache.parent, folder)


def _remove_empty_folders(directory: Path, top: Path) -> None:
    """Remove `directory` and its parents up to `top`, as long as they are empty."""
    with suppress(OSError):
        for each in (directory, *directory.parents):
            each.rmdir()
            if each == top:
                return
