"""Packages a stage as `deploy` does, and checks what the package contains."""

import re
import shutil
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ops import chalice_cli
from ops.aws import open_session
from ops.console import CommandError
from ops.stages import ROOT, read_architecture, read_stage

# Small packages start fast. The limit also shows accidents: the AWS SDK alone has ten times this.
LARGEST_BYTES = 3_200_000
# Top-level names that must not be packaged, and why.
UNWANTED = {
    "boto3": "the Lambda runtime has it",
    "botocore": "the Lambda runtime has it",
    "s3transfer": "the Lambda runtime has it",
    "bench": "not part of the service",
    "devstack": "not part of the service",
    "docs": "not part of the service",
    "infra": "not part of the service",
    "inspec": "nodes fetch it themselves",
    "ops": "not part of the service",
    "tests": "not part of the service",
}
# Largest parts to show.
SHOWN = 6
# Chalice packages only its runtime.
_CHALICE_RUNTIME = {"chalice/__init__.py", "chalice/app.py"}
# Chalice's names of architectures, and how compiled modules name them.
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# A bytecode file, and the flags in its header (PEP 552). Python checks the source's hash by 0b11.
_BYTECODE = re.compile(r"(?P<folder>.*)__pycache__/(?P<module>[^/.]+)\.[^/]+\.pyc")
_FLAGS = slice(4, 8)
_CHECKED_HASH = (0b11).to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Package:
    """The content of a package.

    size: bytes of the file · parts: compressed bytes by top-level name ·
    unchecked: bytecode files that Python uses without checking the source's hash.
    """

    size: int
    names: tuple[str, ...]
    parts: Counter[str]
    unchecked: tuple[str, ...] = ()

    @property
    def compiled(self) -> frozenset[str]:
        """The sources that have bytecode in the package. They may be missing themselves."""
        matches = map(_BYTECODE.fullmatch, self.names)
        return frozenset(f"{match['folder']}{match['module']}.py" for match in matches if match)


def build_package(name: str) -> Package:
    """Package the stage into build/package-<stage>. Raises `CommandError` if it has faults."""
    read_stage(name)
    open_session()  # Chalice needs a region
    out = ROOT / "build" / f"package-{name}"
    for stale in (out, ROOT / ".chalice" / "deployments"):
        shutil.rmtree(stale, ignore_errors=True)
    chalice_cli.run_packaging("package", "--stage", name, str(out))
    package = read_package(out / "deployment.zip")
    faults = find_faults(package, read_architecture(name))
    if faults:
        raise CommandError(f"the package of {name} is wrong: {'; '.join(faults)}")
    return package


def read_package(path: Path) -> Package:
    """Read the zip file of a package."""
    parts: Counter[str] = Counter()
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            parts[_top(entry.filename)] += entry.compress_size
        names = tuple(archive.namelist())
        bytecode = [name for name in names if _BYTECODE.fullmatch(name)]
        unchecked = tuple(name for name in bytecode if archive.read(name)[_FLAGS] != _CHECKED_HASH)
    return Package(path.stat().st_size, names, parts, unchecked)


def find_faults(package: Package, architecture: str) -> list[str]:
    """List everything that is wrong with a package, one line each."""
    faults = []
    if package.size >= LARGEST_BYTES:
        faults.append(f"it has {package.size:,} bytes, and the limit is {LARGEST_BYTES:,}")
    tops = {_top(name) for name in package.names}
    faults += [f"it contains {name} ({why})" for name, why in UNWANTED.items() if name in tops]
    faults += [f"{name} is missing" for name in ("app.py", "chalicelib") if name not in tops]
    sources = {name for name in package.names if name.endswith(".py")}
    tooling = {name for name in sources if _top(name) == "chalice"} - _CHALICE_RUNTIME
    if tooling:
        faults.append(f"it contains more than Chalice's runtime: {', '.join(sorted(tooling)[:3])}")
    orphans = sorted(package.compiled - sources)
    if orphans:
        faults.append(f"it contains bytecode of {orphans[0]} without the source")
    if package.unchecked:
        faults.append(f"{package.unchecked[0]} is not checked against the hash of its source")
    machine = _MACHINES[architecture]
    foreign = [name for name in package.names if name.endswith(".so") and machine not in name]
    if foreign:
        faults.append(f"{foreign[0]} is not built for {architecture}")
    return faults


def describe_package(package: Package) -> str:
    """Describe the size and the largest parts of a package."""
    files = f"{len(package.names)} files, {len(package.compiled)} compiled modules"
    lines = [f"{package.size:,} bytes of at most {LARGEST_BYTES:,}, {files}"]
    lines += [f"  {size:>9,}  {part}" for part, size in package.parts.most_common(SHOWN)]
    return "\n".join(lines)


def _top(name: str) -> str:
    return name.split("/", 1)[0]
