"""The scanner of `make secrets` finds the kinds of secrets that this project works with."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCANNER = Path(sys.executable).with_name("detect-secrets-hook")

# Each is put together here, so that this file contains none.
SECRETS = {
    "slack": "xoxb" + "-123456789012-1234567890123-" + secrets.token_hex(12),
    "aws": "AKIA" + "QWERTYUIOPASDFGH",
    "api": "eis_" + secrets.token_urlsafe(32),
    "webhook": "https://hooks.slack" + ".com/services/T0AAAAAAA/B0BBBBBBB/" + secrets.token_hex(12),
    "key": "-----BEGIN RSA " + "PRIVATE KEY-----",
}


def scan(*files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - a program of this environment
        [SCANNER, "--baseline", ".secrets.baseline", *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report on a file for each secret. The scanner starts slowly, so it starts once."""
    folder = tmp_path_factory.mktemp("secrets")
    for name, secret in SECRETS.items():
        (folder / f"{name}.py").write_text(f'VALUE = "{secret}"\n')

    found = scan(*folder.iterdir())

    assert found.returncode == 1, found.stdout
    return found.stdout


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_found(report: str, name: str) -> None:
    assert f"/{name}.py:1\n" in report


def test_ordinary_values_are_not_reported(tmp_path: Path) -> None:
    file = tmp_path / "settings.py"
    file.write_text('VALUE = "SSH must not allow root"\nNODE = "i-0a1b2c3d4e5f60004"\n')

    assert scan(file).returncode == 0
