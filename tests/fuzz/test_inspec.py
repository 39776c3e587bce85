"""InSpec reports: loaded, or refused in one line that says what to do."""

import json
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import HealthCheck, example, given, settings

from devstack.inspec.loader import load_report
from devstack.inspec.report import MAX_ITEMS, MAX_TITLE, ReportError
from tests.effort import examples
from tests.fuzz.inputs import AT, REPORT, REPORTS

NODE = "i-0a1b2c3d4e5f60001"
LONGEST_LINE = 500


class Put:
    """SSM as far as the loader needs it: it keeps what it is given."""

    exceptions = SimpleNamespace(
        TotalSizeLimitExceededException=KeyError, ItemSizeLimitExceededException=KeyError
    )

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def put_compliance_items(self, **call: Any) -> None:
        self.calls.append(call)


def check_report(report: bytes) -> None:
    """A report is put whole, in SSM's words, or not at all."""
    ssm = Put()
    try:
        loaded = load_report(cast("Any", ssm), report, NODE, AT, "e-1")
    except ReportError as refused:
        assert ssm.calls == []
        check_line(str(refused))
        return
    (call,) = ssm.calls
    items = call["Items"]
    json.dumps(items)
    assert len(items) == loaded.items <= MAX_ITEMS
    assert len({item["Id"] for item in items}) == len(items)
    failed = [item for item in items if item["Status"] == "NON_COMPLIANT"]
    assert len(failed) == loaded.non_compliant
    assert 0 <= loaded.cut_titles <= loaded.items
    assert items or loaded.warnings
    for item in items:
        assert item["Status"] in {"COMPLIANT", "NON_COMPLIANT"}
        assert item["Severity"] in {"LOW", "HIGH", "CRITICAL"}
        assert 0 < len(item["Title"]) <= MAX_TITLE
        assert item["Id"]


def check_line(text: str) -> None:
    """One line that a terminal shows as it is."""
    assert text.isprintable(), text
    assert 0 < len(text) <= LONGEST_LINE, text
    assert text.endswith((".", "?")), text


def deep(levels: int) -> bytes:
    """A report with an id of many levels and controls that are none."""
    return f'{{"profiles":[{{"id":{"[" * levels}{"]" * levels},"controls":7}}]}}'.encode()


def titled(title: str) -> bytes:
    """A report with one result."""
    control = {"id": "c", "title": title, "impact": 0.5, "results": [{"status": "failed"}]}
    return json.dumps({"profiles": [{"controls": [control]}]}).encode()


@given(REPORTS)
@example(titled("é" * 497))
@example(titled("\U0001f525\n\x00" * 500))
@example(b'{"profiles":[{"id":"a\\nb\\u001b[31m","controls":7}]}')
@example(b'{"profiles":[{"id":"\\ud800","controls":7}]}')
@example(json.dumps({"profiles": [{"name": "n" * 10_000, "controls": 7}]}).encode())
@example(json.dumps({"profiles": [{"controls": [{"results": [{"status": "s" * 999}]}]}]}).encode())
@example(b'{"profiles":[{"controls":[{"impact":NaN,"results":[{"status":"failed"}]}]}]}')
@settings(
    max_examples=examples(300, soak=10_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_a_report_is_loaded_or_refused_in_a_line(report: bytes) -> None:
    check_report(report)


def test_no_depth_is_too_much() -> None:
    for levels in range(800, 1_001):
        check_report(deep(levels))


def test_the_valid_report_is_loaded() -> None:
    ssm = Put()
    loaded = load_report(cast("Any", ssm), json.dumps(REPORT).encode(), NODE, AT, "e-1")
    assert (loaded.items, loaded.non_compliant) == (2, 1)
