"""What may be in the package of the functions, and how large it may be."""

import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

# Small packages start fast, and an accident shows: the AWS SDK alone is ten times as large.
LARGEST_BYTES = 3_000_000
# Top-level names that the runtime provides or nobody needs there.
NOT_PACKED = {
    "boto3": "the Lambda runtime brings it",
    "botocore": "the Lambda runtime brings it",
    "s3transfer": "the Lambda runtime brings it",
    "bench": "not part of the service",
    "devstack": "not part of the service",
    "docs": "not part of the service",
    "infra": "not part of the service",
    "inspec": "nodes fetch it themselves",
    "ops": "not part of the service",
    "tests": "not part of the service",
}
# Of Chalice only its runtime is packed.
_CHALICE_RUNTIME = {"chalice/__init__.py", "chalice/app.py"}
# How compiled modules name the architecture that they run on.
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
# A file of bytecode, and its flags (PEP 552): a hash of its source that Python checks.
_BYTECODE = re.compile(r"(?P<folder>.*)__pycache__/(?P<module>[^/.]+)\.[^/]+\.pyc")
_FLAGS = slice(4, 8)
_CHECKED = (0b11).to_bytes(4, "little")


@dataclass(frozen=True, slots=True)
class Package:
    """A package: its size, its files, bytes by top-level name, bytecode that is never checked."""

    size: int
    names: tuple[str, ...]
    parts: Counter[str]
    unchecked: tuple[str, ...] = ()

    @property
    def compiled(self) -> frozenset[str]:
        """The sources that there is bytecode of, in the package or not."""
        matches = map(_BYTECODE.fullmatch, self.names)
        return frozenset(f"{match['folder']}{match['module']}.py" for match in matches if match)


def read(path: Path) -> Package:
    """The package at `path`."""
    parts: Counter[str] = Counter()
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            parts[entry.filename.split("/", 1)[0]] += entry.compress_size
        names = tuple(archive.namelist())
        bytecode = [name for name in names if _BYTECODE.fullmatch(name)]
        unchecked = tuple(name for name in bytecode if archive.read(name)[_FLAGS] != _CHECKED)
    return Package(path.stat().st_size, names, parts, unchecked)


def faults(package: Package, architecture: str) -> list[str]:
    """Everything that is wrong with a package, in one line each; pure."""
    found = []
    if package.size >= LARGEST_BYTES:
        found.append(f"it has {package.size:,} bytes; {LARGEST_BYTES:,} is the limit")
    tops = {name.split("/", 1)[0] for name in package.names}
    found += [f"{name} is in it: {why}" for name, why in NOT_PACKED.items() if name in tops]
    found += [f"{name} is missing" for name in ("app.py", "chalicelib") if name not in tops]
    sources = {name for name in package.names if name.endswith(".py")}
    more = {name for name in sources if name.startswith("chalice/")} - _CHALICE_RUNTIME
    if more:
        found.append(f"Chalice is in it beyond its runtime: {', '.join(sorted(more)[:3])}")
    orphans = sorted(package.compiled - sources)
    if orphans:
        found.append(f"bytecode of {orphans[0]} is in it, and {orphans[0]} is not")
    if package.unchecked:
        found.append(f"{package.unchecked[0]} is not checked by the hash of its source")
    machine = MACHINES[architecture]
    alien = [name for name in package.names if name.endswith(".so") and machine not in name]
    if alien:
        found.append(f"{alien[0]} is not for {architecture}")
    return found
