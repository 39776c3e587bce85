"""InSpec reports are loaded, or refused in one line that says what to do."""

import json
from typing import Any, cast

from hypothesis import example, given
from hypothesis import strategies as st

from devstack.inspec.loader import load_report
from devstack.inspec.report import MAX_ITEMS, MAX_TITLE
from devstack.inspec.report_json import ReportError
from tests.fakes.compliance_put import FakeSsm
from tests.fuzz.strategies import FUZZ, JSON, RAW_TEXT, mutate
from tests.fuzz.values import AT

NODE = "i-0a1b2c3d4e5f60001"
LONGEST_LINE = 500

REPORT = {
    "platform": {"name": "amazon", "release": "2023"},
    "profiles": [
        {
            "name": "base",
            "status": "loaded",
            "status_message": "",
            "controls": [
                {
                    "id": "ec2-ssh-01",
                    "title": "SSH must not allow direct root login",
                    "impact": 0.7,
                    "results": [
                        {"status": "failed", "code_desc": "is expected to exist"},
                        {"status": "passed", "code_desc": "is expected to be quiet"},
                        {"status": "skipped", "code_desc": "not here"},
                    ],
                },
                {"id": "empty", "title": None, "impact": 0, "results": []},
            ],
        },
        {"name": "overlay", "controls": [{"id": "c", "title": "T", "impact": 1.0}]},
    ],
    "version": "5.22.3",
}
STATUSES = st.sampled_from(("passed", "failed", "skipped", "loaded", "error"))


@st.composite
def draw_report(draw: st.DrawFn) -> bytes:
    """Draws an InSpec report, or almost one, as bytes."""
    value = draw(mutate(REPORT, JSON | STATUSES))
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    coding = draw(st.sampled_from(("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32")))
    content = text.encode(coding, "surrogatepass")
    match draw(st.sampled_from(("whole", "whole", "cut", "before", "after", "inside"))):
        case "cut":
            return content[: draw(st.integers(0, len(content)))]
        case "before":
            return draw(st.binary(max_size=20)) + content
        case "after":
            return content + draw(st.binary(max_size=20))
        case "inside":
            at = draw(st.integers(0, len(content)))
            return content[:at] + draw(st.binary(max_size=4)) + content[at + 1 :]
    return content


REPORTS = st.one_of(
    draw_report(), draw_report(), st.binary(max_size=200), RAW_TEXT.map(repr).map(str.encode)
)


def check_report(report: bytes) -> None:
    """A report is put completely and as SSM requires, or not at all."""
    for cut_titles in (False, True):
        check_load(report, cut_titles=cut_titles)


def check_load(report: bytes, *, cut_titles: bool) -> None:
    """The same, with titles that are cut or refused."""
    ssm = FakeSsm()
    try:
        loaded = load_report(cast("Any", ssm), report, NODE, AT, "e-1", cut_titles=cut_titles)
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
    assert len({item["Title"] for item in failed}) == loaded.findings
    assert 0 <= loaded.cut_titles <= loaded.items * cut_titles
    assert items or loaded.warnings
    for line in (*loaded.describe(), *loaded.warnings):
        assert "\n" not in line
        assert len(line) <= LONGEST_LINE
    for item in items:
        assert item["Status"] in {"COMPLIANT", "NON_COMPLIANT"}
        assert item["Severity"] in {"LOW", "HIGH", "CRITICAL"}
        assert 0 < len(item["Title"]) <= MAX_TITLE
        assert item["Id"]


def check_line(text: str) -> None:
    """The text is one line that a terminal shows unchanged."""
    assert text.isprintable(), text
    assert 0 < len(text) <= LONGEST_LINE, text
    assert text.endswith((".", "?")), text


def build_deep_report(levels: int) -> bytes:
    """Builds a report with an id of many levels and without valid controls."""
    return f'{{"profiles":[{{"id":{"[" * levels}{"]" * levels},"controls":7}}]}}'.encode()


def build_report(title: str) -> bytes:
    """Builds a report with one result."""
    control = {"id": "c", "title": title, "impact": 0.5, "results": [{"status": "failed"}]}
    return json.dumps({"profiles": [{"controls": [control]}]}).encode()


@given(REPORTS)
@example(build_report("é" * 497))
@example(build_report("\U0001f525\n\x00" * 500))
@example(b'{"profiles":[{"id":"a\\nb\\u001b[31m","controls":7}]}')
@example(b'{"profiles":[{"id":"\\ud800","controls":7}]}')
@example(json.dumps({"profiles": [{"name": "n" * 10_000, "controls": 7}]}).encode())
@example(json.dumps({"profiles": [{"controls": [{"results": [{"status": "s" * 999}]}]}]}).encode())
@example(b'{"profiles":[{"controls":[{"impact":NaN,"results":[{"status":"failed"}]}]}]}')
@example(b'{"profiles":[{"controls":[{"impact":1,"results":[{"run_time":NaN}]}]}]}')
@example(json.dumps({"profiles": [{"status": "a\nb", "skip_message": "\n" * 999}]}).encode())
@example(("\U00100000" * 999).encode())
@example(b"{}\x1c" + b"\xff" * 99)
@example(("\U00100000" * 99).encode() + b"\xff")
@FUZZ
def test_a_report_is_loaded_or_refused_in_one_line(report: bytes) -> None:
    check_report(report)


def test_a_deep_report_is_loaded_or_refused() -> None:
    for levels in range(800, 1_001):
        check_report(build_deep_report(levels))


def test_the_valid_report_is_loaded() -> None:
    ssm = FakeSsm()
    loaded = load_report(cast("Any", ssm), json.dumps(REPORT).encode(), NODE, AT, "e-1")
    assert (loaded.items, loaded.non_compliant) == (2, 1)
