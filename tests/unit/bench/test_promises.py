from collections.abc import Iterable

import pytest

from bench import promises
from bench.cases import ALL_FIXED, FEW, FIRST, QUIET, RERUN
from bench.promises import Verdict, compute_call_limit
from bench.results import ColdStarts, FunctionStart, Growth, Load, LoadKind, Throttle, ThrottleCase
from tests.unit.bench.samples import Cost, make_case, make_comparison, make_scan


def find_verdict(verdicts: Iterable[Verdict], about: str) -> Verdict:
    (found,) = (each for each in verdicts if about in each.promise)
    return found


@pytest.mark.parametrize(("calls", "kept"), [(400, True), (399, False)])
def test_if_nothing_changed_the_baseline_needs_forty_times_the_calls(
    calls: int, kept: bool
) -> None:
    result = make_comparison(make_case(Cost(calls=10), Cost(calls=calls, seconds=3)))

    assert find_verdict(promises.judge_comparison(result), "calls / ours").kept is kept


@pytest.mark.parametrize(("calls", "kept"), [(20, True), (19, False)])
def test_in_other_cases_the_baseline_needs_twice_the_calls(calls: int, kept: bool) -> None:
    result = make_comparison(make_case(Cost(calls=10), Cost(calls=calls), FEW))

    assert find_verdict(promises.judge_comparison(result), "calls / ours").kept is kept


@pytest.mark.parametrize(("seconds", "kept"), [(3, True), (2.9, False)])
def test_if_nothing_changed_the_baseline_needs_three_times_the_seconds(
    seconds: float, kept: bool
) -> None:
    result = make_comparison(make_case(Cost(), Cost(calls=400, seconds=seconds)))

    assert find_verdict(promises.judge_comparison(result), "seconds / ours").kept is kept


def test_a_computed_baseline_is_marked_and_has_no_seconds() -> None:
    verdicts = list(promises.judge_comparison(make_comparison(make_case(Cost(), None))))

    assert find_verdict(verdicts, "calls / ours, computed").kept
    assert not [each for each in verdicts if "seconds / ours" in each.promise]


@pytest.mark.parametrize(("mb", "kept"), [(160, True), (161, False)])
def test_peak_memory_is_limited_at_the_largest_size(mb: float, kept: bool) -> None:
    result = make_comparison(make_case(Cost(mb=mb), None, FEW), findings=100_000)

    assert find_verdict(promises.judge_comparison(result), "memory").kept is kept


def test_peak_memory_is_not_limited_at_smaller_sizes() -> None:
    result = make_comparison(make_case(Cost(mb=161), None, FEW))

    assert not [each for each in promises.judge_comparison(result) if "memory" in each.promise]


def test_the_call_limit_counts_pages_and_writes() -> None:
    # 200 nodes with 50 findings each: 4 pages of summaries, 200 of items, 5 of the findings table,
    # 8 batches of nodes, and 800 batches of findings and history. Where all is fixed, the items
    # are passed ones.
    assert compute_call_limit(RERUN, 200, 10_000) == int(1.1 * (4 + 200 + 5 + 8)) + 20
    assert compute_call_limit(FIRST, 200, 10_000) == int(1.1 * (4 + 200 + 5 + 8 + 800)) + 20
    assert compute_call_limit(ALL_FIXED, 200, 10_000) == int(1.1 * (4 + 200 + 5 + 8 + 800)) + 20
    assert compute_call_limit(QUIET, 200, 10_000) is None


def test_growth_is_judged_by_exponents_and_by_the_line_of_the_quiet_case() -> None:
    sizes = tuple(
        make_comparison(
            make_case(Cost(calls=8 + pages, seconds=pages), None), findings=1_000 * pages
        )
        for pages in (1, 3, 10)
    )

    verdicts = list(promises.judge_growth(Growth(sizes=sizes)))

    assert [float(each.reached) for each in verdicts][1:] == [1, 0]
    assert all(each.kept for each in verdicts)


@pytest.mark.parametrize(("unverified", "kept"), [(0, True), (1, False)])
def test_one_unverified_node_breaks_the_promise_of_throttling(unverified: int, kept: bool) -> None:
    scans = (make_scan(), make_scan(Cost(unverified=unverified)))
    case = ThrottleCase(concurrency=8, scans=scans, accepted=(1, 1), refused=(0, 0))
    result = Throttle(findings=1, rate=10, cases=(case,))

    assert [each.kept for each in promises.judge_throttle(result)] == [kept]


@pytest.mark.parametrize(("errors", "kept"), [(0, True), (1, False)])
def test_one_error_breaks_the_promise_of_the_load(errors: int, kept: bool) -> None:
    kind = LoadKind(name="get", p50_ms=1, p95_ms=2, per_second=3, errors=errors)
    result = Load(findings=1, requests=1_000, users=4, kinds=(kind,))

    assert [each.kept for each in promises.judge_load(result)] == [kept]


@pytest.mark.parametrize(
    ("ready", "slack", "kept"),
    [(600, False, [True, True, True]), (651, True, [False, False, False])],
)
def test_a_cold_start_is_judged_by_time_by_boto3_alone_and_by_slack_sdk(
    ready: float, slack: bool, kept: list[bool]
) -> None:
    start = FunctionStart(
        name="the API",
        import_ms=(1.0,),
        ready_ms=(ready,),
        without_bytecode_ms=(900.0,),
        slack_loaded=slack,
    )
    result = ColdStarts(when="2026-11-26", cores=2, functions=(start,), boto3_ms=(400.0,))

    assert [each.kept for each in promises.judge_cold_starts(result)] == kept
