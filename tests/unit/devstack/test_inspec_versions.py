from collections import Counter
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from devstack.inspec.loader import LoadResult, load_report
from devstack.inspec.report_json import ReportError
from tests.fakes.compliance_put import FakeSsm
from tests.unit.devstack.inspec_reports import (
    LIMIT,
    SHAPES,
    Counts,
    count_results,
    make_report,
    reduce_for_automate,
)

NODE = "i-0a1b2c3d4e5f60001"
RAN = datetime(2024, 5, 16, 23, 0, 1, tzinfo=UTC)
REPORTS_OF_A_SHAPE = 50


def load(ssm: FakeSsm, report: bytes, *, cut_titles: bool = False) -> LoadResult:
    return load_report(cast("Any", ssm), report, NODE, RAN, "run-1", cut_titles=cut_titles)


def count_items(items: list[dict[str, Any]]) -> tuple[int, int, int]:
    """The compliant and the non-compliant items, and the different titles of the latter."""
    statuses = Counter(item["Status"] for item in items)
    titles = {item["Title"] for item in items if item["Status"] == "NON_COMPLIANT"}
    return statuses["COMPLIANT"], statuses["NON_COMPLIANT"], len(titles)


@pytest.mark.parametrize("seed", range(REPORTS_OF_A_SHAPE))
@pytest.mark.parametrize("shape", SHAPES)
def test_a_report_of_each_version_is_loaded_with_the_counts_of_its_results(
    shape: str, seed: int
) -> None:
    report, ssm = make_report(shape, seed), FakeSsm()
    counts = count_results(report)

    loaded = load(ssm, report, cut_titles=True)

    assert loaded.items == counts.passed + counts.failed
    assert (loaded.non_compliant, loaded.findings) == (counts.failed, counts.titles)
    assert loaded.cut_titles == counts.too_long
    (call,) = ssm.calls
    assert count_items(call["Items"]) == (counts.passed, counts.failed, counts.titles)
    assert max((len(item["Title"]) for item in call["Items"]), default=0) <= LIMIT


@pytest.mark.parametrize("seed", range(REPORTS_OF_A_SHAPE))
@pytest.mark.parametrize("shape", SHAPES)
def test_a_report_with_a_title_over_the_limit_is_refused_unless_titles_are_cut(
    shape: str, seed: int
) -> None:
    report, ssm = make_report(shape, seed), FakeSsm()
    if too_long := count_results(report).too_long:
        with pytest.raises(ReportError, match=rf"^{too_long} titles? (is|are) over SSM's limit"):
            load(ssm, report)
        assert not ssm.calls
    else:
        assert load(ssm, report).cut_titles == 0


@pytest.mark.parametrize("seed", range(REPORTS_OF_A_SHAPE))
def test_the_reduced_report_for_automate_is_refused_if_anything_ran(seed: int) -> None:
    full, ssm = make_report("InSpec 4", seed), FakeSsm()
    counts = count_results(full)
    if counts.passed + counts.failed:
        with pytest.raises(ReportError, match="is the reduced report that Chef Automate gets"):
            load(ssm, reduce_for_automate(full))
        assert not ssm.calls
    else:
        assert load(ssm, reduce_for_automate(full)).items == 0


def test_the_reports_hold_what_public_reports_hold() -> None:
    every = [
        count_results(make_report(shape, seed))
        for shape in SHAPES
        for seed in range(REPORTS_OF_A_SHAPE)
    ]

    assert len(every) == 400
    assert sum(counts.too_long > 0 for counts in every) > 20
    assert sum(counts.titles < counts.failed for counts in every) > 100
    assert sum(counts == Counts(0, 0, 0, 0) for counts in every) >= REPORTS_OF_A_SHAPE
