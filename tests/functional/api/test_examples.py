"""The examples of docs/api.md are what the API of `make up` responds."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from chalicelib.domain.access import Role
from devstack.inspec.loader import FLEET, load_sample, read_clock
from devstack.local_app import create_tokens, serve_api
from devstack.stack import store_controls
from tests.functional.api.console_examples import Comparison, parse_elided_json, read_examples
from tests.functional.service import run_service

PAGE = Path(__file__).parents[3] / "docs" / "api.md"
PRINTED = '{"id": "s-1", "at": "2026-11-23T17:16:49Z", "by": ["a", …, "c"], "why": "do…", …}'
RECEIVED = {
    "id": "s-1",
    "at": "2031-01-01T00:00:00.123456Z",
    "by": ["a", "b", "c"],
    "why": "done",
    "more": None,
}


@pytest.fixture
def variables() -> Iterator[Mapping[str, str]]:
    """The variables of the page, for a stack that has what `make up` has."""
    with run_service() as service:
        store_controls(service.stack)
        tokens = create_tokens(service.stack.env, operator=Role.OPERATOR, viewer=Role.VIEWER)
        began = read_clock()
        for node, report in FLEET.items():
            load_sample(service.stack.aws.url, node, report)
        service.handlers.scan(began, {"Success": len(FLEET)})
        with serve_api() as url:
            yield {
                "API": url,
                "AUTH": f"Authorization: Bearer {tokens['operator']}",
                "JSON": "Content-Type: application/json",
            }


@pytest.mark.enable_socket
def test_the_api_responds_what_the_page_prints(variables: Mapping[str, str]) -> None:
    comparison = Comparison()

    differences = [
        f"{PAGE.name}:{example.line}: {difference}"
        for example in read_examples(PAGE.read_text())
        for difference in comparison.compare_response(example, example.send(variables))
    ]

    assert not differences, "\n".join(differences)


def test_the_page_has_an_example_of_every_method() -> None:
    commands = [example.command for example in read_examples(PAGE.read_text())]

    for method in ("PUT", "POST", "PATCH", "DELETE"):
        assert any(f"-X {method} " in command for command in commands), method
    assert any("-X" not in command for command in commands)


def test_only_what_may_differ_differs() -> None:
    assert list(Comparison().compare(parse_elided_json(PRINTED), RECEIVED)) == []


@pytest.mark.parametrize(
    ("change", "where"),
    [
        pytest.param({"id": "s-2"}, "$.id", id="another text"),
        pytest.param({"id": 1}, "$.id", id="another type"),
        pytest.param({"at": "yesterday"}, "$.at", id="not a time"),
        pytest.param({"by": ["a", "c"]}, "$.by", id="nothing left out of a list"),
        pytest.param({"by": ["a", "b", "d"]}, "$.by[-1]", id="another last item"),
        pytest.param({"why": "do"}, "$.why", id="nothing left out of a text"),
    ],
)
def test_anything_else_is_a_difference(change: Mapping[str, object], where: str) -> None:
    (difference,) = Comparison().compare(parse_elided_json(PRINTED), {**RECEIVED, **change})

    assert difference.startswith(f"{where}: ")


def test_members_are_left_out_only_where_the_page_says_so() -> None:
    (unprinted,) = Comparison().compare(parse_elided_json('{"a": 1}'), {"a": 1, "b": 2})
    (nothing_left,) = Comparison().compare(parse_elided_json('{"a": 1, …}'), {"a": 1})

    assert (unprinted, nothing_left) == (
        "$: printed a, received a, b",
        "$: printed a, …, received a",
    )


def test_a_printed_time_stands_for_one_time() -> None:
    printed = ["2026-11-23T17:16:49Z", "2026-11-23T17:16:49Z"]

    same = list(Comparison().compare(printed, ["2031-01-01T00:00:00Z"] * 2))
    (difference,) = Comparison().compare(printed, ["2031-01-01T00:00:00Z", "2031-01-01T00:00:01Z"])

    assert same == []
    assert difference.startswith("$[1]: ")
