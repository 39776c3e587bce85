from pathlib import Path

import pytest

from bench.cases import QUIET
from bench.report import PAGE, SECTIONS, Section, judge_all, read_results, render_page
from bench.results import (
    BadCase,
    BadInput,
    Comparison,
    Floor,
    FloorCase,
    Growth,
    Load,
    LoadKind,
    Result,
    read,
    save,
)
from bench.sections.page import wrap_prose
from tests.unit.bench.samples import Cost, make_case, make_comparison, make_scan


def find_section(name: str) -> Section:
    (found,) = (each for each in SECTIONS if each.name == name)
    return found


def render(name: str, result: Result) -> str:
    return render_page([(find_section(name), result)])


def test_the_page_begins_by_saying_that_the_comparison_claims_no_speed() -> None:
    page = render_page([])

    assert page.startswith("# Benchmarks\n\n**The comparison with the baseline is not a claim")
    assert "It has not been measured yet." in page


def test_a_comparison_shows_both_variants_and_their_ratio() -> None:
    page = render(
        "versus-1000", make_comparison(make_case(Cost(calls=10), Cost(calls=500, seconds=4)))
    )

    assert "| nothing changed | ours | 10 | 1 | 2 | 1.00 | 1.00 to 1.00 | 70 |" in page
    assert "|  | *baseline / ours* | 50.0 | 1.0 | 1.0 | 4.0 |  | 1.0 |" in page
    assert "Measured on 2026-11-26, 2 cores; one run of ours, one run of the baseline." in page


def test_a_baseline_that_did_not_run_is_marked_as_computed() -> None:
    page = render("versus-1000", make_comparison(make_case(Cost(calls=10), None)))

    assert "|  | baseline, computed | 1,000 |" in page


def test_a_broken_promise_comes_first_and_is_bold() -> None:
    case = make_case(Cost(calls=10), Cost(calls=500, seconds=2))
    results: list[tuple[Section, Result]] = [(find_section("versus-1000"), make_comparison(case))]

    first, *others = judge_all(results)

    assert not first.kept
    assert all(each.kept for each in others)
    assert "baseline seconds / ours | 3x or more | 2.0x | **not kept** |" in render_page(results)


def test_losses_have_a_section_of_their_own() -> None:
    losing = make_case(Cost(mb=80), Cost(calls=500, seconds=4))
    winning = make_case(Cost(mb=60), Cost(calls=500, seconds=4))

    lost = render("versus-1000", make_comparison(losing))
    won = render("versus-1000", make_comparison(winning))

    assert "| 1,000 | nothing changed | peak MB | 80 | 70 |" in lost
    assert "None in these measurements." in won


def test_a_result_without_a_date_is_rendered() -> None:
    kind = LoadKind(name="list by instance", p50_ms=12, p95_ms=30, per_second=150, errors=0)

    page = render("load", Load(findings=100_000, requests=1_000, users=4, kinds=(kind,)))

    assert "| list by instance | 12.0 | 30.0 | 150.0 | 0 |" in page
    assert "Measured on an unknown date; 1,000 requests of each kind." in page


def test_growth_shows_figures_and_exponents() -> None:
    sizes = tuple(
        make_comparison(
            make_case(Cost(calls=8 + pages, seconds=pages), None), findings=1_000 * pages
        )
        for pages in (1, 10)
    )

    page = render("growth", Growth(sizes=sizes))

    assert "| case |  | 1,000 | 10,000 | exponent |" in page
    assert "|  | seconds | 1.00 | 10.00 | 1.00 |" in page
    assert "within 0.0 of a constant plus one call per summary page" in page


def test_the_floor_is_shown_beside_the_measured_seconds() -> None:
    case = FloorCase(
        name=QUIET,
        summary_pages=10,
        item_pages=0,
        without_latency=(make_scan(),),
        with_latency=(make_scan(Cost(seconds=3)),),
    )
    floor = Floor(
        findings=10_000, ssm_seconds=0.1, dynamodb_seconds=0.005, concurrency=8, cases=(case,)
    )

    page = render("floor", floor)

    assert "| nothing changed | 10 | 0 | 0.50 | 1.50 | 3.00 | 2.00 |" in page
    assert "nothing changed: seconds / floor | 1.25 or less | 2 | **not kept** |" in page


def test_a_failed_check_is_bold_and_breaks_a_promise() -> None:
    case = BadCase(name="Odd", scans=(make_scan(),), checks={"it ends": True, "it is right": False})

    page = render("bad-input", BadInput(cases=(case,)))

    assert "- yes: it ends" in page
    assert "- **no**: it is right" in page
    assert "| Odd: it is right | holds | fails | **not kept** |" in page


def test_prose_is_wrapped_and_tables_are_not() -> None:
    words = "nodes " * 40

    assert all(len(line) <= 100 for line in wrap_prose(words))
    assert wrap_prose(f"| {words} |") == [f"| {words} |"]


def test_a_saved_result_is_read_back(tmp_path: Path) -> None:
    result = make_comparison(make_case(Cost(), Cost()))

    save("versus-1000", result, tmp_path)

    assert read("versus-1000", Comparison, tmp_path) == result
    assert read_results(tmp_path) == [(find_section("versus-1000"), result)]


def test_a_file_without_a_section_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "surprise.json").write_text("{}")

    with pytest.raises(ValueError, match="surprise"):
        read_results(tmp_path)


def test_the_page_is_rendered_from_the_saved_results() -> None:
    assert PAGE.read_text() == render_page(read_results())
