"""Measures how long a new Lambda environment takes until its function is ready.

`python -m bench.cold_start`. A fresh interpreter imports app.py and builds the clients of one
function. Lambda's own start is not included. Runs alternate between a package with the bytecode
that `make deploy` adds, and one without, as plain `chalice deploy` makes it. The runtime's boto3
always has bytecode.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from rich.console import Console

from bench.results import ColdStarts, FunctionStart, count_cores, format_today, save
from devstack.environment import build_settings, isolate
from ops.bytecode import compile_loaded_modules

ROOT = Path(__file__).parents[1]
# The packages that are shipped with our code, by requirements.txt and Chalice.
PACKED = ("aws_lambda_powertools", "chalice", "jmespath", "msgspec", "slack_sdk")
RUNS = 9
# The handler of each function as Lambda names it, and the clients it builds at its start.
FUNCTIONS = {
    "ec2-inspec-scan, monthly-alert, reconcile": (
        "app.ec2_inspec_scan",
        "runtime.context('123456789012', 'us-east-1')",
    ),
    "the API": ("app.app", "runtime.inbox"),
    "the authorizer": ("app.authorizer", "runtime.tokens"),
}
_PROGRAM = """
import os
import time
os.environ["_HANDLER"] = "{handler}"
began = time.perf_counter()
import app
imported = time.perf_counter()
from chalicelib import bootstrap
runtime = bootstrap.runtime()
{clients}
ready = time.perf_counter()
import sys
slack = any(name.startswith('slack_sdk') for name in sys.modules)
print((imported - began) * 1000, (ready - began) * 1000, int(slack))
"""
# The part that every function needs: boto3 with the clients of a scan.
_BOTO3_PROGRAM = """
import time
began = time.perf_counter()
import boto3
session = boto3.Session()
session.resource("dynamodb")
session.client("ssm")
print((time.perf_counter() - began) * 1000)
"""


def copy_package(directory: Path) -> Path:
    """Copy the content of the functions' package to `directory`, without bytecode."""
    directory.mkdir()
    no_bytecode = shutil.ignore_patterns("__pycache__")
    shutil.copy(ROOT / "app.py", directory)
    shutil.copytree(ROOT / "chalicelib", directory / "chalicelib", ignore=no_bytecode)
    for name in PACKED:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        shutil.copytree(Path(spec.origin).parent, directory / name, ignore=no_bytecode)
    return directory


def start_function(directory: Path, handler: str, clients: str) -> tuple[float, float, bool]:
    """Milliseconds until app.py is imported and until it is ready; whether it loaded slack_sdk."""
    program = _PROGRAM.format(handler=handler, clients=clients)
    imported, ready, slack = _run_program(directory, program).split()
    return round(float(imported), 1), round(float(ready), 1), slack == "1"


def start_boto3(directory: Path) -> float:
    """Milliseconds until boto3 and the clients of a scan are ready."""
    return round(float(_run_program(directory, _BOTO3_PROGRAM)), 1)


def _run_program(directory: Path, program: str) -> str:
    return subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=directory,
        env={**os.environ, **_settings(), "PYTHONDONTWRITEBYTECODE": "1"},
    ).stdout


def measure() -> ColdStarts:
    """Start every function several times, with and without bytecode in turn."""
    functions = []
    boto3_ms = []
    with tempfile.TemporaryDirectory() as folder:
        plain, compiled = (copy_package(Path(folder) / name) for name in ("plain", "compiled"))
        compile_loaded_modules(ROOT, compiled)
        for directory in (plain, compiled):
            start_function(directory, "", "pass")  # reads everything from the disk once
        for name, function in FUNCTIONS.items():
            without_bytecode, starts = zip(
                *(
                    (start_function(plain, *function), start_function(compiled, *function))
                    for _ in range(RUNS)
                ),
                strict=True,
            )
            imported, ready, slack = zip(*starts, strict=True)
            boto3_ms += [start_boto3(plain) for _ in range(RUNS // len(FUNCTIONS))]
            functions.append(
                FunctionStart(
                    name=name,
                    import_ms=imported,
                    ready_ms=ready,
                    without_bytecode_ms=tuple(ms for _, ms, _ in without_bytecode),
                    slack_loaded=any(slack),
                )
            )
    return ColdStarts(
        when=format_today(),
        cores=count_cores(),
        functions=tuple(functions),
        boto3_ms=tuple(boto3_ms),
    )


def main() -> int:
    """Measure, save and print."""
    isolate()
    console = Console(highlight=False, soft_wrap=True)
    with console.status(f"{RUNS} cold starts of each function"):
        result = measure()
    save("cold-start", result)
    for each in result.functions:
        loads = "loads" if each.slack_loaded else "does not load"
        console.print(
            f"cold start, {each.name}: {median(each.ready_ms):.0f} ms "
            f"({median(each.without_bytecode_ms):.0f} without bytecode), {loads} slack_sdk"
        )
    boto3 = median(result.boto3_ms)
    console.print(f"cold start, boto3 alone with the clients of a scan: {boto3:.0f} ms")
    return 0


def _settings() -> dict[str, str]:
    nowhere = "http://127.0.0.1:9/"
    return build_settings(
        aws_url=nowhere,
        slack_url=nowhere,
        findings_table="findings",
        nodes_table="nodes",
        ledger_table="ledger",
        reports_bucket="reports",
    )


if __name__ == "__main__":
    sys.exit(main())
