"""`python -m infra.package`: packages a stage as deploy would, and looks at what is in it."""

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from infra import chalice_cli, checks
from infra.package_content import LARGEST_BYTES, Package, faults, read
from infra.stages import CONFIG, ROOT, read_stage
from infra.stop import Stop

# Parts that are named in what is printed.
SHOWN = 6


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    top = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    top.add_argument("--stage", required=True, help="a stage of .chalice/config.json")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Package; 1 where the package is not as it has to be."""
    name = parser().parse_args(arguments).stage
    try:
        package = build(name)
    except Stop as stop:
        sys.stderr.write(f"package stopped: {stop}\n")
        return 1
    sys.stdout.write(shown(package))
    return 0


def build(name: str) -> Package:
    """Package the stage anew into build/package-<stage>; `Stop` says what is wrong with it."""
    read_stage(name)
    checks.region()
    out = ROOT / "build" / f"package-{name}"
    for stale in (out, ROOT / ".chalice" / "deployments"):
        shutil.rmtree(stale, ignore_errors=True)
    chalice_cli.run("package", "--stage", name, str(out))
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
    lines = [f"{package.size:,} bytes of {LARGEST_BYTES:,}, {len(package.names)} files"]
    lines += [f"  {size:>9,}  {part}" for part, size in package.parts.most_common(SHOWN)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
