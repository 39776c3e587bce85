"""An AWS that runs Lambdas: ministack, in its own virtual environment.

It evaluates IAM policies (`AUTH`), so a function that lacks a permission fails as in a real
account. It has no SSM Compliance and accepts no events of `aws.*`: point
`AWS_ENDPOINT_URL_SSM` at devstack.aws.server and invoke the function with the event.
"""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devstack.environment import ACCOUNT, REGION
from devstack.serving import HOST, find_free_port, wait_for_port

_PYTHON = Path(__file__).parents[1] / ".venv-emulator" / "bin" / "python"
_PROGRAM = Path(__file__).with_name("emulator_start.py")
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator: its endpoint, its port, its log file and its region."""

    url: str
    port: int
    log: Path
    region: str = REGION

    def build_operator_env(self) -> dict[str, str]:
        """Return the environment for an operator's commands: the root user, no profile."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            # the emulator knows this key as the root user
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": self.region,
        }


def describe_missing() -> str | None:
    """Return what is missing to start it. None if nothing is."""
    return None if _PYTHON.exists() else "the emulator is not installed (`make setup`)"


@contextmanager
def run_emulator(account: str = ACCOUNT, region: str = REGION) -> Iterator[Emulator]:
    """Run an empty emulator on a free port for the length of a `with` block."""
    port = find_free_port()
    with tempfile.TemporaryDirectory() as home:
        log = Path(home) / "emulator.log"
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": home,
            "TMPDIR": home,
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(port),
            "MINISTACK_ACCOUNT_ID": account,
            "MINISTACK_REGION": region,
        }
        with (
            log.open("wb") as output,
            subprocess.Popen(  # noqa: S603 - our own program and arguments
                [_PYTHON, _PROGRAM], cwd=home, env=env, stdout=output, stderr=output
            ) as process,
        ):
            try:
                wait_for_port(process, port, "the emulator", _START_SECONDS)
                yield Emulator(f"http://{HOST}:{port}", port, log, region)
            finally:
                process.terminate()
