"""The sorter in memory, and the one that writes sorted runs to files."""

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from chalicelib.adapters.sorted_runs import SortedRuns
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.finding import Finding, Severity, worst_first
from chalicelib.usecases.ports import Sorter
from tests.fakes import MemorySorter
from tests.fleet import START

HOSTILE = 'line\nbreak \u2028 \u202e =1+1 " \\ \U0001f600'


@pytest.fixture(params=["memory", "one run", "runs of seven"])
def sorter(request: pytest.FixtureRequest, tmp_path: Path) -> Sorter:
    if request.param == "memory":
        return MemorySorter()
    return SortedRuns(folder=tmp_path) if request.param == "one run" else SortedRuns(7, tmp_path)


def make_findings(number: int) -> list[Finding]:
    """Returns shuffled findings. Severities and titles repeat."""
    findings = [
        Finding(
            instance_id=f"i-{each % 11}",
            title=f"title {each // 11} {HOSTILE}",
            severity=list(Severity)[each % len(Severity)],
            control_id=f"c-{each}",
            first_seen=START,
            scan_id="scan-1",
        )
        for each in range(number)
    ]
    Random(number).shuffle(findings)  # noqa: S311 - an order, no secret
    return findings


@pytest.mark.parametrize("number", [0, 1, 6, 7, 8, 14, 50])
def test_every_finding_is_sorted_worst_first(sorter: Sorter, number: int) -> None:
    given = make_findings(number)
    assert list(sorter.worst_first(iter(given))) == sorted(given, key=worst_first)


def test_the_result_can_be_iterated_twice_at_the_same_time(sorter: Sorter) -> None:
    ordered = sorter.worst_first(make_findings(20))
    first, second = iter(ordered), iter(ordered)

    pairs = list(zip(first, second, strict=True))

    assert len(pairs) == 20
    assert all(one == other for one, other in pairs)


def test_incomplete_findings_have_no_order(sorter: Sorter) -> None:
    def broken() -> Iterator[Finding]:
        yield from make_findings(20)
        raise Unavailable("the table does not answer")

    with pytest.raises(Unavailable, match="the table"):
        sorter.worst_first(broken())


def test_temporary_files_are_removed_with_the_result(tmp_path: Path) -> None:
    ordered = SortedRuns(7, tmp_path).worst_first(make_findings(50))
    assert len(list(tmp_path.glob("findings-*/*"))) == 7

    half = iter(ordered)
    next(half)
    del half, ordered
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_is_unavailable(tmp_path: Path) -> None:
    missing = SortedRuns(7, tmp_path / "missing")

    with pytest.raises(
        Unavailable, match=re.escape("A temporary file of a report could not be written: No such")
    ):
        missing.worst_first(make_findings(50))
