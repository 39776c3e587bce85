import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import devstack
from devstack.inspec.report import ReportError, ReportItem, parse_report

SAMPLES = Path(devstack.__file__).parent / "samples"


def build_report(*controls: dict[str, Any]) -> bytes:
    return json.dumps({"profiles": [{"name": "base", "controls": controls}]}).encode()


def build_control(*results: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"id": "c", "title": "T", "impact": 0.5, "results": results} | changes


def build_result(
    status: str = "failed", code_desc: str | None = "is expected to exist"
) -> dict[str, Any]:
    return {"status": status, "code_desc": code_desc}


def parse_only_item(report: bytes) -> ReportItem:
    (item,) = parse_report(report).items
    return item


@pytest.mark.parametrize(
    ("sample", "failed", "passed"),
    [
        ("amazon-bad", 15, 28),
        ("amazon-good", 3, 40),
        ("ubuntu-bad", 16, 28),
        ("ubuntu-good", 4, 40),
        ("broken-control", 1, 1),
        ("nasty", 3, 2),
    ],
)
def test_a_sample_has_one_item_for_each_result_that_was_not_skipped(
    sample: str, failed: int, passed: int
) -> None:
    found = parse_report((SAMPLES / f"{sample}.json").read_bytes())
    assert Counter(item.status for item in found.items) == {
        "NON_COMPLIANT": failed,
        "COMPLIANT": passed,
    }
    assert len({item.id for item in found.items}) == failed + passed
    assert not found.warnings


def test_an_item_has_control_running_index_title_severity_and_status() -> None:
    report = build_report(
        build_control(build_result("passed", "one"), id="a", title="First", impact=0.3),
        build_control(
            build_result("skipped"),
            build_result("failed", "two"),
            id="b",
            title="Second",
            impact=1.0,
        ),
    )
    assert parse_report(report).items == (
        ReportItem(id="a-0", title="First : one", severity="LOW", status="COMPLIANT"),
        ReportItem(id="b-1", title="Second : two", severity="CRITICAL", status="NON_COMPLIANT"),
    )


@pytest.mark.parametrize(
    ("impact", "severity"),
    [(0, "LOW"), (0.39, "LOW"), (0.4, "HIGH"), (0.69, "HIGH"), (0.7, "CRITICAL"), (1, "CRITICAL")],
)
def test_impact_becomes_severity_at_the_thresholds_of_the_document(
    impact: float, severity: str
) -> None:
    assert (
        parse_only_item(build_report(build_control(build_result(), impact=impact))).severity
        == severity
    )


@pytest.mark.parametrize("without", [{"title": None}, {"title": ""}])
def test_a_missing_title_is_formatted_as_ruby_formats_nil(without: dict[str, Any]) -> None:
    assert (
        parse_only_item(build_report(build_control(build_result(), **without))).title
        == " : is expected to exist"
    )


def test_a_title_is_cut_at_500_characters_and_counted() -> None:
    fits, too_long = build_result(code_desc="é" * 496), build_result(code_desc="é" * 497)
    found = parse_report(build_report(build_control(fits, too_long)))
    assert [item.title for item in found.items] == ["T : " + "é" * 496] * 2
    assert found.cut_titles == 1


def test_the_nasty_sample_keeps_its_newline_and_bidi_marks_and_has_one_cut_title() -> None:
    found = parse_report((SAMPLES / "nasty.json").read_bytes())
    assert found.items[0].title.startswith('=HYPERLINK("http://x","a"), "quoted"; semi\nsecond')
    assert "\u202e" in found.items[0].title
    assert found.cut_titles == 1
    assert max(len(item.title) for item in found.items) == 500


def test_an_overlay_without_results_adds_no_items() -> None:
    overlay = {"name": "overlay", "controls": [build_control()]}
    base = {"name": "base", "controls": [build_control(build_result())]}
    report = json.dumps({"profiles": [overlay, base]}).encode()
    assert parse_only_item(report).id == "c-0"


def test_an_unsupported_platform_gives_no_items_and_a_warning_with_the_reason() -> None:
    found = parse_report((SAMPLES / "unsupported-platform.json").read_bytes())
    assert found.items == ()
    assert "unsupported platform: 'debian/12.11'" in found.warnings[0]


def test_a_report_with_only_skipped_results_gives_no_items_and_a_warning() -> None:
    found = parse_report(build_report(build_control(build_result("skipped"))))
    assert found.items == ()
    assert "Nothing was checked" in found.warnings[0]


JSON_MIN = {"controls": [{"id": "c", "profile_id": "base", "status": "failed", "code_desc": "x"}]}


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"WARN: old ruby\n" + build_report(), "begin with JSON but with 'WARN: old ruby'"),
        (build_report() + b"\ndone", "printed after it"),
        (build_report(build_control(build_result()))[:-5], "cut off"),
        (b'{"profiles": "\xff"}', "not valid JSON"),
        (b'{"profiles": ' + b"[" * 100_000, "not valid JSON"),
        (json.dumps(JSON_MIN).encode(), "is json-min"),
        (b'{"version": "5.24"}', "has no profiles"),
        (b"[]", "The report is not a JSON object"),
        (b"{}", "has no profiles"),
        (b'{"profiles": {}}', "profiles is not a list"),
        (b'{"profiles": [7]}', "an entry of profiles is not a JSON object"),
        (build_report(build_control(build_result(), impact=None)), "c: impact is not a number"),
        (build_report(build_control(build_result(), impact=True)), "c: impact is not a number"),
        (build_report(build_control(build_result(), title=["T"])), "c: title is not text"),
        (
            build_report(build_control(build_result("error"))),
            "'c' has a result with status 'error'",
        ),
        (
            build_report(build_control(*[build_result()] * 10_001)),
            "has 10001 results, SSM accepts 10000",
        ),
    ],
)
def test_an_unusable_report_is_refused_with_a_reason(report: bytes, reason: str) -> None:
    with pytest.raises(ReportError) as refused:
        parse_report(report)
    assert reason in str(refused.value)


def test_ten_thousand_results_are_accepted() -> None:
    found = parse_report(build_report(build_control(*[build_result()] * 10_000)))
    assert len(found.items) == 10_000
