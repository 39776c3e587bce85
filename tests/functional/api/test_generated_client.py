"""A tool that nobody here wrote makes a typed client of the specification, and it works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.domain.access import Role
from chalicelib.entrypoints.api import openapi
from tests.functional.api import example_state
from tests.functional.api.client import TOKENS, open_api
from tests.functional.service import NODE, Service

TEN_CALLS = Path(__file__).with_name("ten_calls.py")
PACKAGE = "ec2_inspec_scan_client"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client. Everything that the generator does not understand is an error."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    document.write_text(json.dumps(openapi.build_specification()))
    options = ["--meta", "none", "--fail-on-warning", "--output-path", str(folder / PACKAGE)]
    generate = ["openapi_python_client", "generate", "--path", str(document), *options]

    assert run(folder, "-m", *generate) == (0, "")

    return folder


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Runs Python with the client; returns the exit code, and the errors if there are any."""
    # the generator formats what it writes with the ruff of this environment
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(folder), "MYPYPATH": str(folder), "PATH": path}
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
    )
    return ran.returncode, (ran.stdout + ran.stderr) if ran.returncode else ""


def test_every_route_has_a_function_of_the_client(folder: Path) -> None:
    document = openapi.build_specification()
    operations = [each for path in document["paths"].values() for each in path.values()]

    modules = {path.stem for path in (folder / PACKAGE / "api").glob("*/*.py")} - {"__init__"}

    names = {each["operationId"].replace("_", "").lower() for each in operations}
    assert {module.replace("_", "") for module in modules} == names


def test_ten_calls_have_the_types_that_the_client_gives_them(folder: Path) -> None:
    options = ["--strict", "--config-file", os.devnull, "--cache-dir", str(folder / "mypy")]

    assert run(folder, "-m", "mypy", *options, str(TEN_CALLS)) == (0, "")


@pytest.mark.enable_socket
def test_ten_calls_get_what_they_ask_for(folder: Path, service: Service) -> None:
    example_state.fill(service)
    with open_api(service) as api:
        arguments = (api.url, TOKENS[Role.OPERATOR], NODE)

        assert run(folder, "-W", "error", str(TEN_CALLS), *arguments) == (0, "")
