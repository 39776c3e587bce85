from pathlib import Path

import pytest

from bench.cases import QUIET
from bench.report import PAGE, SECTIONS, Section, judged, kept_results, render
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
from bench.sections.markdown import wrapped
from tests.unit.bench.samples import Took, case, comparison, run


def section(name: str) -> Section:
    (found,) = (each for each in SECTIONS if each.name == name)
    return found


def shown(name: str, result: Result) -> str:
    return render([(section(name), result)])


def test_a_comparison_shows_both_and_the_ratio() -> None:
    page = shown("versus-1000", comparison(case(Took(calls=10), Took(calls=500, seconds=4))))
    assert "| nothing changed | ours | 10 | 1 | 2 | 1.00 | 1.00 to 1.00 | 70 |" in page
    assert "|  | *times fewer* | 50.0 | 1.0 | 1.0 | 4.0 |  | 1.0 |" in page
    assert "Measured on 2026-11-26, 2 cores; one run of ours, one run of the baseline." in page


def test_a_baseline_that_did_not_run_is_marked_as_computed() -> None:
    page = shown("versus-1000", comparison(case(Took(calls=10), None)))
    assert "|  | baseline, computed | 1,000 |" in page


def test_what_is_not_kept_comes_first_and_is_bold() -> None:
    results: list[tuple[Section, Result]] = [
        (section("versus-1000"), comparison(case(Took(calls=10), Took(calls=500, seconds=2))))
    ]
    first, *others = judged(results)
    assert not first.kept
    assert all(each.kept for each in others)
    assert "fewer seconds | 3x or more | 2.0x | **not kept** |" in render(results)


def test_losses_stand_in_a_section_of_their_own() -> None:
    lost = shown("versus-1000", comparison(case(Took(mb=80), Took(calls=500, seconds=4))))
    assert "| 1,000 | nothing changed | peak MB | 80 | 70 |" in lost
    won = shown("versus-1000", comparison(case(Took(mb=60), Took(calls=500, seconds=4))))
    assert "Nowhere, in what was measured." in won


def test_load_is_shown_without_a_date_too() -> None:
    kind = LoadKind(name="list by instance", p50_ms=12, p95_ms=30, per_second=150, errors=0)
    page = shown("load", Load(findings=100_000, requests=1_000, users=4, kinds=(kind,)))
    assert "| list by instance | 12.0 | 30.0 | 150.0 | 0 |" in page
    assert "Measured on a day that was not noted; 1,000 requests." in page


def test_growth_shows_figures_and_exponents() -> None:
    sizes = tuple(
        comparison(case(Took(calls=8 + pages, seconds=pages), None), findings=1_000 * pages)
        for pages in (1, 10)
    )
    page = shown("growth", Growth(sizes=sizes))
    assert "| case |  | 1,000 | 10,000 | exponent |" in page
    assert "|  | seconds | 1.00 | 10.00 | 1.00 |" in page
    assert "within 0.0 of a constant and one a summary page" in page


def test_the_floor_stands_beside_what_was_reached() -> None:
    listed = FloorCase(
        name=QUIET, summary_pages=10, item_pages=0, still=(run(),), runs=(run(Took(seconds=3)),)
    )
    made = Floor(
        findings=10_000, ssm_seconds=0.1, dynamodb_seconds=0.005, concurrency=8, cases=(listed,)
    )
    page = shown("floor", made)
    assert "| nothing changed | 10 | 0 | 0.50 | 1.50 | 3.00 | 2.00 |" in page
    assert "nothing changed: seconds by floor | 1.25 or less | 2 | **not kept** |" in page


def test_a_check_that_fails_is_seen() -> None:
    bad = BadCase(name="Odd", runs=(run(),), checks={"it ends": True, "it is right": False})
    page = shown("bad-input", BadInput(cases=(bad,)))
    assert "- yes: it ends" in page
    assert "- **no**: it is right" in page
    assert "| Odd: it is right | holds | fails | **not kept** |" in page


def test_prose_is_wrapped_and_tables_are_not() -> None:
    words = "nodes " * 40
    assert all(len(line) <= 100 for line in wrapped(words))
    assert wrapped(f"| {words} |") == [f"| {words} |"]


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    made = comparison(case(Took(), Took()))
    save("versus-1000", made, tmp_path)
    assert read("versus-1000", Comparison, tmp_path) == made
    assert kept_results(tmp_path) == [(section("versus-1000"), made)]


def test_a_file_that_no_section_shows_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "surprise.json").write_text("{}")
    with pytest.raises(ValueError, match="surprise"):
        kept_results(tmp_path)


def test_the_page_is_what_the_kept_results_say() -> None:
    assert PAGE.read_text() == render(kept_results())
