import pytest

from bench.fleet_results import Change, Month, Monthly, Peak, Simulation
from bench.promises import judge_monthly, judge_simulation
from bench.report import SECTIONS, render_page
from bench.results import Result


def render(name: str, result: Result) -> str:
    (section,) = (each for each in SECTIONS if each.name == name)
    return render_page([(section, result)])


def make_month(findings: int, *, peak_mb: float = 80, complete: bool = True) -> Month:
    return Month(
        findings=findings,
        nodes=findings // 20,
        seconds=5,
        cpu_seconds=4,
        peak_mb=peak_mb,
        object_bytes=findings * 180,
        parts=2,
        rows=findings,
        thread_rows=20_000,
        complete=complete,
    )


def make_monthly(*months: Month, rate: float = 200_000) -> Monthly:
    return Monthly(rows=200_000, rows_a_second=(rate,), months=months)


def make_simulation(largest_peak: float) -> Simulation:
    change = Change(
        rate=10,
        scans=20,
        hours=4.97,
        lambda_seconds=17_000,
        summary_calls=40_000,
        item_calls=100_000,
        dynamodb_calls=320_000,
        read_units=250_000,
        write_units=16_100_000,
        messages=20,
        cpu_seconds=130,
        dollars=10.3,
    )
    peaks = (
        Peak(case="nothing changed", nodes=1_000, read=0, peak_mb=70),
        Peak(case="nothing changed", nodes=101_000, read=0, peak_mb=largest_peak),
    )
    return Simulation(nodes=100_000, findings_a_node=20, changes=(change,), peaks=peaks)


def test_months_are_rendered_by_size() -> None:
    page = render("monthly", make_monthly(make_month(10_000), make_month(300_000)))

    assert "| 300,000 | 15,000 | 5.0 | 4.0 | 80 | 54.0 | 2 | 300,000 | 20,000 | yes |" in page
    assert "200,000 rows per CPU second" in page


@pytest.mark.parametrize(
    ("largest", "rate", "kept"),
    [
        (make_month(300_000), 200_000, [True, True, True]),
        (make_month(300_000), 149_000, [False, True, True]),
        (make_month(300_000, peak_mb=96), 200_000, [True, False, True]),
        (make_month(300_000, complete=False), 200_000, [True, True, False]),
    ],
    ids=["right", "slow", "large", "incomplete"],
)
def test_a_month_is_judged_by_rate_memory_and_completeness(
    largest: Month, rate: float, kept: list[bool]
) -> None:
    monthly = make_monthly(make_month(10_000), make_month(100_000), largest, rate=rate)

    assert [each.kept for each in judge_monthly(monthly)] == kept


def test_a_change_of_a_fleet_is_rendered_by_rate() -> None:
    page = render("simulation", make_simulation(largest_peak=230))

    assert "| calls to SSM a second | 10 |" in page
    assert "| hours | 5.0 |" in page
    assert "| nothing changed | 70 | 230 |" in page


@pytest.mark.parametrize(("largest_peak", "kept"), [(230, True), (370, False)])
def test_memory_for_each_additional_node_is_limited(largest_peak: float, kept: bool) -> None:
    assert [each.kept for each in judge_simulation(make_simulation(largest_peak))] == [kept]
