"""An AWS that runs Lambdas: ministack in an environment of its own, for the life of a block.

It evaluates IAM policies (`AUTH`), so a function that lacks a permission fails here as it
would in an account. It has no SSM Compliance and takes no events of `aws.*`: point
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
    """A running emulator: its endpoint, its port, and the file it logs to."""

    url: str
    port: int
    log: Path

    def operator(self) -> dict[str, str]:
        """The environment of an operator's commands: the account's root, no profile."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            # the one key that the emulator takes for the account's root
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }


def describe_missing() -> str | None:
    """What is missing to start it, and how to get it; None where all is there."""
    return None if _PYTHON.exists() else "the emulator is not installed (`make setup` gets it)"


@contextmanager
def run_emulator() -> Iterator[Emulator]:
    """Run it on a free port with nothing in it; what it knew is gone afterwards."""
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
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
        }
        with (
            log.open("wb") as output,
            subprocess.Popen(  # noqa: S603 - our own program and arguments
                [_PYTHON, _PROGRAM], cwd=home, env=env, stdout=output, stderr=output
            ) as process,
        ):
            try:
                wait_for_port(process, port, "the emulator", _START_SECONDS)
                yield Emulator(f"http://{HOST}:{port}", port, log)
            finally:
                process.terminate()
