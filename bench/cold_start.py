"""How long a new Lambda environment takes until its function can begin.

Run it with `make bench`. A fresh interpreter each time imports app.py and builds
the clients that the function uses; Lambda's own start is not part of it. The
package has the bytecode that `make deploy` puts into it, and in turn with it none,
as plain `chalice deploy` makes it; the runtime's boto3 always has its own.
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

from bench.results import ColdStarts, Start, cores, save, today
from devstack.environment import build_settings, isolate
from infra import bytecode

ROOT = Path(__file__).parents[1]
# What is packed beside our own code, as requirements.txt and Chalice have it.
PACKED = ("aws_lambda_powertools", "chalice", "jmespath", "msgspec", "slack_sdk")
RUNS = 9
# Each function's handler, as Lambda says it, and what it builds before its first call.
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
# What none of it can be without: boto3 alone, with the clients of a pass.
_SDK = """
import time
began = time.perf_counter()
import boto3
session = boto3.Session()
session.resource("dynamodb")
session.client("ssm")
print((time.perf_counter() - began) * 1000)
"""


def package(directory: Path) -> Path:
    """Lay out what the functions' package holds, without bytecode."""
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


def started(directory: Path, handler: str, clients: str) -> tuple[float, float, bool]:
    """Milliseconds until app.py is imported and until all is built; whether Slack's SDK is in."""
    imported, ready, slack = _printed(
        directory, _PROGRAM.format(handler=handler, clients=clients)
    ).split()
    return round(float(imported), 1), round(float(ready), 1), slack == "1"


def _printed(directory: Path, program: str) -> str:
    return subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=directory,
        env={**os.environ, **_settings(), "PYTHONDONTWRITEBYTECODE": "1"},
    ).stdout


def main() -> int:
    """Measure and keep."""
    isolate()
    console = Console(highlight=False, soft_wrap=True)
    functions = []
    sdk = []
    status = console.status(f"{RUNS} cold starts of each function")
    with status, tempfile.TemporaryDirectory() as folder:
        plain, compiled = (package(Path(folder) / name) for name in ("plain", "compiled"))
        bytecode.write(ROOT, compiled)
        for directory in (plain, compiled):
            started(directory, "", "pass")  # reads everything from the disk once
        for function, how in FUNCTIONS.items():
            without, starts = zip(
                *((started(plain, *how), started(compiled, *how)) for _ in range(RUNS)),
                strict=True,
            )
            imported, ready, slack = zip(*starts, strict=True)
            sdk += [round(float(_printed(plain, _SDK)), 1) for _ in range(RUNS // len(FUNCTIONS))]
            functions.append(
                Start(
                    name=function,
                    import_ms=imported,
                    ready_ms=ready,
                    uncompiled_ms=tuple(milliseconds for _, milliseconds, _ in without),
                    slack_loaded=any(slack),
                )
            )
    made = ColdStarts(when=today(), cores=cores(), functions=tuple(functions), sdk_ms=tuple(sdk))
    save("cold-start", made)
    for each in functions:
        loads = "loads" if each.slack_loaded else "does not load"
        console.print(
            f"cold start, {each.name}: {median(each.ready_ms):.0f} ms "
            f"({median(each.uncompiled_ms):.0f} without bytecode), {loads} Slack's SDK"
        )
    console.print(f"cold start, boto3 alone with the clients of a pass: {median(sdk):.0f} ms")
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
