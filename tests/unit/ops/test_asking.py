import io

import pytest

from ops.asking import agreed
from ops.stop import Stop


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", ["y\n", "Y\n", " y \n"])
def test_a_yes_goes_on(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    agreed("Go on?", env={}, source=Terminal(typed))
    assert capsys.readouterr().out == "Go on? "


@pytest.mark.parametrize("typed", ["\n", "n\n", "yes please\n", ""])
def test_anything_else_does_nothing(typed: str) -> None:
    with pytest.raises(Stop, match="nothing was done"):
        agreed("Go on?", env={}, source=Terminal(typed))


def test_where_nobody_can_be_asked_the_variable_has_to_say_so() -> None:
    with pytest.raises(Stop, match="YES=1"):
        agreed("Go on?", env={}, source=io.StringIO("y\n"))
    agreed("Go on?", env={"YES": "1"}, source=io.StringIO())


def test_what_is_removed_is_named() -> None:
    agreed("Type dev:", "dev", {"YES": "dev"}, io.StringIO())
    agreed("Type dev:", "dev", {}, Terminal("dev\n"))
    with pytest.raises(Stop, match="YES=1 is not what was asked for"):
        agreed("Type dev:", "dev", {"YES": "1"}, Terminal("dev\n"))
    with pytest.raises(Stop, match="YES=dev"):
        agreed("Type dev:", "dev", {}, io.StringIO())
