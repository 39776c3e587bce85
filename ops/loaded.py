"""`python -m ops.loaded`: the modules of the package that every new environment loads, as JSON.

Prints {path in the package: path on this machine} for the checkout that it is run
in: our own, and what app.py imports of the packages. It runs in an interpreter of
its own because it imports them.
"""

import importlib
import json
import sys
from importlib.metadata import distribution
from pathlib import Path

# Chalice packs its runtime itself; requirements.txt does not name it.
_CHALICE = "chalice"


def main() -> int:
    """Import the app, and print what came."""
    importlib.import_module("app")
    root = Path.cwd()
    ours = {str(path.relative_to(root)): str(path) for path in (root / "chalicelib").rglob("*.py")}
    loaded = {getattr(module, "__file__", None) for module in sys.modules.values()}
    packed = {
        str(file): str(installed.locate_file(file))
        for installed in map(distribution, (_CHALICE, *_required(root / "requirements.txt")))
        for file in installed.files or ()
        if file.suffix == ".py"
    }
    theirs = {name: path for name, path in packed.items() if path in loaded}
    sys.stdout.write(json.dumps({"app.py": str(root / "app.py"), **ours, **theirs}))
    return 0


def _required(requirements: Path) -> list[str]:
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return [line.split("==", 1)[0] for line in lines if "==" in line]


if __name__ == "__main__":
    sys.exit(main())
