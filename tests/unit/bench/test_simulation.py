from dataclasses import replace

import pytest

from bench.simulation.checks import Part, of_part, of_quiet, of_whole
from bench.simulation.outputs import StoredCsv
from bench.simulation.play import play
from bench.simulation.service import Service, service
from chalicelib.usecases.passes import run_scans
from tests.fleet import HOUR


@pytest.mark.parametrize(("rate", "scans"), [(0.25, 2), (5, 1)])
def test_a_change_of_a_fleet_is_announced_in_as_many_parts_as_the_rate_asks_for(
    rate: float, scans: int
) -> None:
    played = play(300, rate, lambda _: None)
    assert played.broken == ()
    assert played.change.scans == played.change.messages == scans
    assert played.change.summary_calls == scans * 6
    assert played.change.item_calls == 300
    # 20 inserted and 20 deleted rows with two index rows each, and a line of history for each
    assert 300 * 160 < played.change.write_units < 300 * 162


def ten_nodes() -> tuple[Service, Part]:
    """A fleet of ten nodes, and a pass that has read them all."""
    played = service(nodes=10, rate=10)
    (report,) = run_scans(played.context, played.clock() + HOUR)
    files = list(played.files.stored.values())
    return played, Part(
        report=report, in_time=True, texts=played.channel.texts, csvs=files, left=played.left
    )


def test_a_pass_that_told_everything_is_right() -> None:
    played, whole = ten_nodes()
    assert list(of_part(whole)) == []
    assert list(of_whole(played, scans=1)) == []


def test_the_checks_see_what_is_wrong_with_a_pass() -> None:
    _, right = ten_nodes()
    (csv,) = right.csvs
    fewer = StoredCsv(csv.head, csv.finding_ids - {next(iter(csv.finding_ids))}, csv.rows)
    wrong = {
        "is over too late": replace(right, in_time=False),
        "says nothing": replace(right, texts=[]),
        "says all is well": replace(right, texts=["No new non-compliant findings"]),
        "does not say what is left": replace(right, left=5),
        "keeps a finding from the file": replace(right, csvs=[fewer]),
        "has no head": replace(right, csvs=[StoredCsv("", csv.finding_ids, csv.rows)]),
    }
    assert [what for what, each in wrong.items() if not list(of_part(each))] == []


def test_the_checks_see_what_is_wrong_in_the_end() -> None:
    played, right = ten_nodes()
    assert len(list(of_whole(played, scans=2))) == 1, "the list was read once"
    played.findings.delete([next(played.findings.rows()).finding_id])
    assert len(list(of_whole(played, scans=1))) == 1, "the table lacks a finding"
    played.channel.texts.append("again")
    played.channel.texts.append("and again")
    played.files.stored["again"] = right.csvs[0]
    assert len(list(of_whole(played, scans=1))) == 3, "a second message, and its file"
    assert list(of_quiet(right.report, ())), "a pass that read is no quiet one"
