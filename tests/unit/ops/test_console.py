import io

import pytest

from ops.console import CommandError, confirm


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("typed", ["y\n", "Y\n", " y \n"])
def test_typing_y_confirms(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    confirm("Deploy?", env={}, source=Terminal(typed))

    assert capsys.readouterr().out == "Deploy? "


@pytest.mark.parametrize("typed", ["\n", "n\n", "yes please\n", ""])
def test_typing_anything_else_stops_the_command(typed: str) -> None:
    with pytest.raises(CommandError, match="nothing was done"):
        confirm("Deploy?", env={}, source=Terminal(typed))


def test_without_a_terminal_only_the_variable_confirms() -> None:
    with pytest.raises(CommandError, match="not a terminal, so cannot ask; set YES=1 to confirm"):
        confirm("Deploy?", env={}, source=io.StringIO("y\n"))

    confirm("Deploy?", env={"YES": "1"}, source=io.StringIO())


def test_a_question_can_ask_for_a_name() -> None:
    confirm("Type dev:", "dev", {"YES": "dev"}, io.StringIO())
    confirm("Type dev:", "dev", {}, Terminal("dev\n"))

    with pytest.raises(CommandError, match=r"YES=1 does not confirm this, .* set YES=dev"):
        confirm("Type dev:", "dev", {"YES": "1"}, Terminal("dev\n"))
    with pytest.raises(CommandError, match="set YES=dev"):
        confirm("Type dev:", "dev", {}, io.StringIO())
