"""`python -m ops.package`: packages a stage as deploy would, and looks at what is in it."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from ops import chalice_cli, checks
from ops.command import ended, say, stage_parser
from ops.package_content import LARGEST_BYTES, Package, faults, read
from ops.stages import CONFIG, ROOT, read_stage
from ops.stop import Stop

# Parts that are named in what is printed.
SHOWN = 6


def main(arguments: Sequence[str] | None = None) -> int:
    """Package; 1 where the package is not as it has to be."""
    name = stage_parser("package", __doc__).parse_args(arguments).stage
    return ended("package", lambda: say(shown(build(name))))


def build(name: str) -> Package:
    """Package the stage anew into build/package-<stage>; `Stop` says what is wrong with it."""
    read_stage(name)
    checks.region()
    out = ROOT / "build" / f"package-{name}"
    for stale in (out, ROOT / ".chalice" / "deployments"):
        shutil.rmtree(stale, ignore_errors=True)
    chalice_cli.make("package", "--stage", name, str(out))
    package = read(out / "deployment.zip")
    wrong = faults(package, architecture(name))
    if wrong:
        raise Stop(f"the package is not as it has to be: {'; '.join(wrong)}")
    return package


def architecture(name: str, config: Path = CONFIG) -> str:
    """What the functions of a stage run on; Chalice's default is x86_64."""
    stages = json.loads(config.read_bytes())["stages"]
    chosen: str = stages[name].get("lambda_architecture", "x86_64")
    return chosen


def shown(package: Package) -> str:
    """Size and largest parts, for people."""
    files = f"{len(package.names)} files, {len(package.compiled)} modules compiled"
    lines = [f"{package.size:,} bytes of {LARGEST_BYTES:,}, {files}"]
    lines += [f"  {size:>9,}  {part}" for part, size in package.parts.most_common(SHOWN)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
