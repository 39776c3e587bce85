"""The parser of `python -m ops`: verbs, options and exit codes."""

import pytest

from ops.__main__ import build_parser, main

VERBS = ("deploy", "scan", "ping", "package", "destroy", "restore", "take-over")


@pytest.mark.parametrize("verb", [(), *((verb,) for verb in VERBS), ("token",), ("token", "add")])
def test_every_verb_has_a_help(verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*verb, "--help"])

    assert " ".join(("usage: python -m ops", *verb)) in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["fly"], *([verb] for verb in VERBS)])
def test_a_missing_argument_is_a_usage_error(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)

    assert "usage: python -m ops" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("list",), ("list", "--stage", "dev", "--parameter", "/tokens")]
)
def test_token_verbs_take_either_a_stage_or_a_parameter(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        build_parser().parse_args(("token", *arguments))

    assert "--parameter" in capsys.readouterr().err


def test_a_failure_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ping", "--stage", "absent"]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ping failed: .chalice/config.json has no stage absent")
