from bench.monthly.figures import Month, Monthly
from bench.promises import of_monthly, of_simulation
from bench.report import SECTIONS, render
from bench.results import Result
from bench.simulation.figures import Change, Peak, Simulation, dollars


def shown(name: str, result: Result) -> str:
    (section,) = (each for each in SECTIONS if each.name == name)
    return render([(section, result)])


def month(findings: int, *, peak_mb: float = 80, whole: bool = True) -> Month:
    return Month(
        findings=findings,
        nodes=findings // 20,
        seconds=5,
        cpu_seconds=4,
        peak_mb=peak_mb,
        object_bytes=findings * 180,
        parts=2,
        rows=findings,
        attached=20_000,
        whole=whole,
    )


def months(*made: Month, rate: float = 200_000) -> Monthly:
    return Monthly(rows=200_000, rows_a_second=(rate,), months=made)


def peaks(most: float) -> tuple[Peak, ...]:
    return (
        Peak(what="nothing changed", nodes=1_000, read=0, peak_mb=70),
        Peak(what="nothing changed", nodes=101_000, read=0, peak_mb=most),
    )


def fleet(most: float) -> Simulation:
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
    return Simulation(nodes=100_000, findings_a_node=20, changes=(change,), peaks=peaks(most))


def test_months_are_shown() -> None:
    page = shown("monthly", months(month(10_000), month(300_000)))
    assert "| 300,000 | 15,000 | 5.0 | 4.0 | 80 | 54.0 | 2 | 300,000 | 20,000 | yes |" in page
    assert "200,000 rows a second" in page


def test_a_month_promises_its_rate_flat_memory_and_all_rows() -> None:
    sizes = month(10_000), month(100_000)
    right = months(*sizes, month(300_000))
    slow = months(*sizes, month(300_000), rate=149_000)
    large = months(*sizes, month(300_000, peak_mb=96))
    torn = months(*sizes, month(300_000, whole=False))
    kept = {
        name: [each.kept for each in of_monthly(made)]
        for name, made in {"right": right, "slow": slow, "large": large, "torn": torn}.items()
    }
    assert kept == {
        "right": [True, True, True],
        "slow": [False, True, True],
        "large": [True, False, True],
        "torn": [True, True, False],
    }


def test_a_change_of_a_fleet_is_shown_rate_by_rate() -> None:
    page = shown("simulation", fleet(most=230))
    assert "| calls to SSM a second | 10 |" in page
    assert "| hours | 5.0 |" in page
    assert "| nothing changed | 70 | 230 |" in page


def test_memory_for_each_more_node_is_promised() -> None:
    # 160 and 300 MB for 100,000 nodes more
    assert [each.kept for each in of_simulation(fleet(most=230))] == [True]
    assert [each.kept for each in of_simulation(fleet(most=370))] == [False]


def test_dollars_are_those_of_lambda_and_dynamodb() -> None:
    spent = dollars(scans=20, lambda_seconds=17_000, reads=250_000, writes=16_100_000)
    assert round(spent, 2) == 0.23 + 0.03 + 10.06
