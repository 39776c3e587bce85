from dataclasses import replace

import pytest

from bench.simulation.checks import PartialScan, check_end, check_quiet_scan, check_scan
from bench.simulation.play import compute_dollars, play_change
from bench.simulation.service import SimulatedService, StoredCsv, build_service
from chalicelib.usecases.run import run_scans
from tests.fleet import HOUR


@pytest.mark.parametrize(("rate", "scans"), [(0.75, 2), (5, 1)])
def test_a_change_of_a_fleet_takes_as_many_scans_as_the_rate_requires(
    rate: float, scans: int
) -> None:
    played = play_change(300, rate, lambda _: None)

    assert played.errors == ()
    assert played.change.scans == played.change.messages == scans
    assert played.change.summary_calls == scans * 6
    assert played.change.item_calls == 900
    # 20 rows put and 20 deleted, each with two index rows and a line of history
    assert 300 * 144 < played.change.write_units < 300 * 146


def scan_ten_nodes() -> tuple[SimulatedService, PartialScan]:
    """A fleet of ten nodes, and one scan that read them all."""
    service = build_service(nodes=10, rate=10)
    (report,) = run_scans(service.context, service.clock() + HOUR)
    return service, PartialScan(
        report=report,
        in_time=True,
        texts=service.channel.texts,
        csvs=list(service.files.stored.values()),
        deferred=service.count_deferred(),
    )


def test_a_scan_that_announced_everything_passes_the_checks() -> None:
    service, scan = scan_ten_nodes()

    assert list(check_scan(scan)) == []
    assert list(check_end(service, scans=1)) == []


def test_the_checks_find_each_error_of_a_scan() -> None:
    _, right = scan_ten_nodes()
    (csv,) = right.csvs
    fewer = csv.finding_ids - {next(iter(csv.finding_ids))}
    wrong = {
        "ends too late": replace(right, in_time=False),
        "announces nothing": replace(right, texts=[]),
        "gives an all-clear": replace(right, texts=["No new non-compliant findings"]),
        "does not state the deferred nodes": replace(right, deferred=5),
        "leaves a finding out of the file": replace(
            right, csvs=[StoredCsv(csv.header, fewer, csv.rows)]
        ),
        "has no header": replace(right, csvs=[StoredCsv("", csv.finding_ids, csv.rows)]),
    }

    assert [what for what, scan in wrong.items() if not list(check_scan(scan))] == []


def test_the_checks_find_each_error_at_the_end() -> None:
    service, scan = scan_ten_nodes()

    assert len(list(check_end(service, scans=2))) == 1, "the list was read once"

    service.findings.delete([next(service.findings.list_rows()).finding_id])
    assert len(list(check_end(service, scans=1))) == 1, "the table lacks a finding"

    service.channel.texts += ["again", "and again"]
    service.files.stored["again"] = scan.csvs[0]
    assert len(list(check_end(service, scans=1))) == 3, "a second message and its file"

    assert list(check_quiet_scan(scan.report, ())), "a quiet scan reads no node"


def test_dollars_are_those_of_lambda_and_dynamodb() -> None:
    dollars = compute_dollars(scans=20, lambda_seconds=17_000, reads=250_000, writes=16_100_000)

    assert round(dollars, 2) == 0.23 + 0.03 + 10.06
