import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import devstack
from devstack.inspec.report import ReportItem, parse_report
from devstack.inspec.report_json import ReportError

SAMPLES = Path(devstack.__file__).parent / "samples"


def encode(report: Any) -> bytes:
    return json.dumps(report).encode()


def build_report(*controls: dict[str, Any], **profile: Any) -> bytes:
    return encode({"profiles": [{"name": "base", "controls": controls} | profile]})


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
    found = parse_report((SAMPLES / f"{sample}.json").read_bytes(), cut_titles=True)
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
    [
        (-0.1, "CRITICAL"),
        (0, "LOW"),
        (0.39, "LOW"),
        (0.4, "HIGH"),
        (0.69, "HIGH"),
        (0.7, "CRITICAL"),
        (1, "CRITICAL"),
    ],
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


FITS, TOO_LONG = build_result(code_desc="é" * 496), build_result(code_desc="é" * 497)


def test_a_title_over_500_characters_is_cut_and_counted_if_that_is_wanted() -> None:
    found = parse_report(build_report(build_control(FITS, TOO_LONG)), cut_titles=True)
    assert [item.title for item in found.items] == ["T : " + "é" * 496] * 2
    assert found.cut_titles == 1


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        ([FITS, TOO_LONG], "1 title is over SSM's limit of 500 characters, in control c. "),
        (
            [TOO_LONG, FITS, TOO_LONG],
            "2 titles are over SSM's limit of 500 characters, the first in control c. ",
        ),
    ],
)
def test_a_title_over_500_characters_is_refused_as_the_document_does(
    results: list[dict[str, Any]], sentence: str
) -> None:
    with pytest.raises(ReportError) as refused:
        parse_report(build_report(build_control(*results)))
    assert str(refused.value) == (
        f"{sentence}AWS-RunInspecChecks would fail, and the node would keep its old items. "
        "Nothing was loaded. Shorten the title of the control or the text of its check, "
        "or add --cut-titles to load cut titles."
    )


def test_the_nasty_sample_keeps_its_newline_and_bidi_marks_and_has_one_cut_title() -> None:
    found = parse_report((SAMPLES / "nasty.json").read_bytes(), cut_titles=True)
    assert found.items[0].title.startswith('=HYPERLINK("http://x","a"), "quoted"; semi\nsecond')
    assert "\u202e" in found.items[0].title
    assert found.cut_titles == 1
    assert max(len(item.title) for item in found.items) == 500


def test_an_overlay_without_results_adds_no_items() -> None:
    overlay = {"name": "overlay", "controls": [build_control()]}
    base = {"name": "base", "controls": [build_control(build_result())]}
    assert parse_only_item(encode({"profiles": [overlay, base]})).id == "c-0"


@pytest.mark.parametrize("without", [{"results": None}, {"results": []}])
def test_a_control_without_results_adds_no_items(without: dict[str, Any]) -> None:
    assert parse_report(build_report(build_control(**without))).items == ()


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_report_that_a_shell_saved_in_another_encoding_is_read(coding: str) -> None:
    report = build_report(build_control(build_result(code_desc="é"))).decode()
    assert parse_only_item(report.encode(coding)).title == "T : é"


SKIPPED = "Skipping profile: 'base' on unsupported platform: 'debian/12'."


@pytest.mark.parametrize(
    ("profile", "warning"),
    [
        ({"status": "skipped", "skip_message": SKIPPED}, f"Profile base did not run: {SKIPPED}"),
        ({"status": "skipped", "status_message": SKIPPED}, f"Profile base did not run: {SKIPPED}"),
        (
            {"status": "skipped", "status_message": "", "skip_message": SKIPPED},
            f"Profile base did not run: {SKIPPED}",
        ),
        ({"skip_message": SKIPPED}, f"Profile base did not run: {SKIPPED}"),
        ({"status": "failed", "status_message": "No\n  gem."}, "Profile base did not run: No gem."),
        ({"status": "skipped"}, "Profile base did not run: InSpec gave no reason."),
        (
            {"name": None, "title": "Base", "status": "skipped", "skip_message": "No."},
            "Profile Base did not run: No.",
        ),
        (
            {"name": None, "status": "skipped", "skip_message": "No."},
            "Profile without a name did not run: No.",
        ),
        (
            {"depends": [{"name": "child", "status": "skipped", "skip_message": "No."}]},
            "Profile child did not run: No.",
        ),
        ({"status": None}, None),
        ({"status": "loaded", "status_message": ""}, None),
    ],
)
def test_a_profile_that_did_not_run_is_named_with_its_reason(
    profile: dict[str, Any], warning: str | None
) -> None:
    found = parse_report(build_report(build_control(build_result()), **profile))
    assert found.warnings == ((warning,) if warning else ())


def test_a_skipped_profile_that_its_overlay_names_too_is_named_once() -> None:
    child = {"name": "child", "status": "skipped", "skip_message": "No.", "controls": []}
    overlay = {"name": "overlay", "depends": [child], "controls": [build_control(build_result())]}
    found = parse_report(encode({"profiles": [overlay, child]}))
    assert found.warnings == ("Profile child did not run: No.",)


def test_results_that_were_removed_for_automate_are_missed() -> None:
    removed = {"removed_results_counts": {"failed": 3, "skipped": 0, "passed": 0}}
    found = parse_report(build_report(build_control(build_result(), **removed)))
    assert found.warnings[0].startswith("Results are missing: the report was shortened")


def test_an_unsupported_platform_gives_no_items_and_a_warning_with_the_reason() -> None:
    found = parse_report((SAMPLES / "unsupported-platform.json").read_bytes())
    assert found.items == ()
    assert "unsupported platform: 'debian/12.11'" in found.warnings[0]


def test_a_report_with_only_skipped_results_gives_no_items_and_a_warning() -> None:
    found = parse_report(build_report(build_control(build_result("skipped"))))
    assert found.items == ()
    assert "Nothing was checked" in found.warnings[0]


RESULT = {"id": "c", "status": "failed", "code_desc": "x"}
CONTROL = {"id": "c", "title": "T", "impact": 0.5, "code": "control 'c'"}
ITEM = {"Id": "c", "Title": "T", "Severity": "HIGH", "Status": "COMPLIANT"}
VALID = build_report(build_control(build_result()))


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        ({"controls": [], "statistics": {}, "version": "5"}, "comes from the json-min reporter"),
        ({"controls": [RESULT]}, "comes from the json-min reporter"),
        (
            {"name": "base", "supports": [], "controls": [CONTROL], "version": "0.1.0"},
            "is an exported profile (inspec json), which has no results",
        ),
        ({"name": "base", "controls": []}, "is an exported profile"),
        ({"name": "base", "controls": {"c": CONTROL}}, "is an exported profile"),
        (
            {"name": "base", "controls": [CONTROL | {"results": [RESULT]}]},
            "is one profile cut out of a report",
        ),
        ({"examples": [], "summary": {}}, "comes from the json-rspec reporter"),
        ({"summary": {}, "errors": []}, "is the output of inspec check"),
        ([ITEM], "is a list of SSM compliance items"),
        ({"ComplianceItems": [ITEM]}, "is a list of SSM compliance items"),
        ({"Items": [ITEM]}, "is a list of SSM compliance items"),
        ([json.loads(VALID)], "is a list of reports. Load one report at a time"),
        ([], "is a JSON list"),
        ([7], "is a JSON list"),
        ({}, "has no profiles"),
        ({"version": "5.24"}, "has no profiles"),
        ({"profiles": None}, "has no profiles"),
        (None, "is not a JSON object"),
        ("text", "is not a JSON object"),
    ],
)
def test_other_json_is_refused_by_its_name(report: Any, kind: str) -> None:
    with pytest.raises(ReportError) as refused:
        parse_report(encode(report))
    assert str(refused.value).startswith(f"The report {kind}")
    assert "Run inspec exec with --reporter json" in str(refused.value)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (b'<?xml version="1.0"?>\n<testsuites>', "is the XML of the junit reporter"),
        (b"<testsuites>", "is the XML of the junit reporter"),
        (b"<!DOCTYPE html>", "is the HTML of the html reporter"),
        (b"---\n:platform:\n  :name: ubuntu\n", "is the YAML of the yaml reporter"),
        (b"\nProfile:   Base (base)\nVersion:   1.0.0\n", "is the text of the cli reporter"),
        (b"Could not find 'x'.\n", "does not begin with JSON but with \"Could not find 'x'.\". If"),
        (b"WARN: old\n" + VALID, "does not begin with JSON but with 'WARN: old'. Profiles and"),
        (b"[2024-05-16T23:00:01] WARN: old\n" + VALID, "with '[2024-05-16T23:00:01] WARN: old'."),
        (b"y" * 200, "does not begin with JSON but with '" + "y" * 79 + "…'."),
    ],
)
def test_text_before_json_or_without_it_is_refused_with_its_first_line(
    report: bytes, sentence: str
) -> None:
    with pytest.raises(ReportError) as refused:
        parse_report(report)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (VALID + b"\ndone", "was printed after the JSON of the report: 'done'"),
        (VALID + VALID, "was printed after the JSON of the report: '{"),
        (VALID[:-5], "was cut off"),
        (VALID[:60], "was cut off"),
        (VALID.decode().encode("utf-16")[:-4], "was cut off"),
        (
            VALID.replace(b'"id"', b"oops"),
            "Expecting property name enclosed in double quotes, line",
        ),
        (b'{"profiles": "\xff"}', 'is not UTF-8 text: byte 15, after \'{"profiles": "\', is wrong'),
        (b'\xef\xbb\xbf{"profiles": "\xff"}', "is not UTF-8 text: byte 18, after"),
        (b"\x1f\x8b\x08", "is not UTF-8 text: byte 2"),
        (b'{"profiles": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"profiles": ' + b"7" * 5_000 + b"}", "thousands of digits"),
        (b'{"profiles": {}}', "profiles is not a list"),
        (b'{"profiles": [7]}', "an entry of profiles is not a JSON object"),
        (build_report(build_control(build_result(), title=["T"])), "c: title is not text"),
        (build_report(build_control({"status": "failed", "code_desc": 7})), "c: code_desc is not"),
        (
            build_report(build_control(*[build_result()] * 10_001)),
            "has 10,001 results, SSM accepts 10,000 for a node. AWS-RunInspecChecks would fail",
        ),
    ],
)
def test_an_unusable_report_is_refused_with_a_reason(report: bytes, reason: str) -> None:
    with pytest.raises(ReportError) as refused:
        parse_report(report)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("impact", "reason"),
    [
        (None, "c: impact is missing."),
        (True, "c: impact is not a number."),
        ("high", "c: impact is not a number."),
        (float("nan"), "c: impact is not a number, it is NaN."),
        (float("inf"), "c: impact is not a number, it is Infinity."),
        (float("-inf"), "c: impact is not a number, it is -Infinity."),
    ],
)
def test_an_impact_that_is_not_a_number_is_refused(impact: Any, reason: str) -> None:
    with pytest.raises(ReportError) as refused:
        parse_report(build_report(build_control(build_result(), impact=impact)))
    assert str(refused.value).startswith(reason)


def test_nan_beside_the_impact_is_refused_as_the_document_does() -> None:
    result = build_result() | {"run_time": float("nan")}
    with pytest.raises(ReportError, match="The report holds NaN, which is not JSON"):
        parse_report(build_report(build_control(result)))


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"status": None}, "Control c has a result without a status."),
        ({}, "Control c has a result without a status."),
        ({"status": ""}, "Control c has a result without a status."),
        ({"status": "error"}, "Control c has a result with status 'error'."),
        ({"status": 7}, "c: status is not text."),
    ],
)
def test_a_result_without_a_status_of_inspec_is_refused(
    result: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ReportError) as refused:
        parse_report(build_report(build_control(result)))
    assert str(refused.value).startswith(reason)


def test_the_reduced_report_for_automate_is_refused_by_its_name() -> None:
    with pytest.raises(ReportError) as refused:
        parse_report(build_report({"id": "c", "results": [build_result()]}))
    assert str(refused.value).startswith(
        "Control c has neither title nor impact: this is the reduced report that Chef "
        "Automate gets."
    )


def test_ten_thousand_results_are_accepted() -> None:
    found = parse_report(build_report(build_control(*[build_result()] * 10_000)))
    assert len(found.items) == 10_000
