"""Bytecode of what the functions load, for the package: a Lambda has nowhere to keep its own.

Without it a new environment compiles everything that it imports, each time, which
is a quarter to a third of its start. Only what is loaded is compiled, so that the package
stays small. Each file names the hash of its source: Python passes over it where
the source in the package is another one, or where Python itself is.
"""

import json
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import cache_from_source
from pathlib import Path

from ops.stop import Stop

# Chalice packs what is below this folder of a checkout as it is.
VENDOR = "vendor"
# Where Lambda unpacks the code: the paths that tracebacks name.
TASK = Path("/var/task")


@contextmanager
def vendored(root: Path) -> Iterator[None]:
    """As long as it is open, the bytecode is where Chalice packs it; then nothing of it is left."""
    folder = root / VENDOR
    _clear(folder)  # of what somebody who was killed left
    try:
        write(root, folder)
        yield
    finally:
        _clear(folder)


def write(root: Path, folder: Path) -> None:
    """Compile what the functions of the checkout `root` load into `folder`.

    The folder is laid out as the package is. `Stop` where the app cannot be imported.
    """
    for name, source in _loaded(root).items():
        py_compile.compile(
            source,
            cache_from_source(str(folder / name)),
            dfile=str(TASK / name),
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
        )


def _loaded(root: Path) -> dict[str, str]:
    ran = subprocess.run(
        [sys.executable, "-m", "ops.loaded"],
        cwd=root,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        check=False,
    )
    if ran.returncode:
        raise Stop("app.py cannot be imported, see above; mend that and run the same command again")
    loaded: dict[str, str] = json.loads(ran.stdout)
    return loaded


def _clear(folder: Path) -> None:
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)
        _remove_if_empty(cache.parent, folder)


def _remove_if_empty(directory: Path, folder: Path) -> None:
    """Remove the empty directories from this one up to the folder, which goes last."""
    with suppress(OSError):
        for each in (directory, *directory.parents):
            each.rmdir()
            if each == folder:
                return
