"""Targets of executions: which gave a result, and what several executions say together."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.announcement import (
    MAX_REMEMBERED_ASSOCIATIONS,
    MAX_REMEMBERED_NODES,
    AssociationState,
    ChannelState,
    Topic,
)
from chalicelib.domain.scan import (
    Coverage,
    Job,
    TargetResults,
    Targets,
    combine_targets,
    is_running,
    is_success,
    judge_targets,
    merge_targets,
)
from tests.fleet import DAY, HOUR, MINUTE, START
from tests.unit.domain.decisions import decide, get_alert, make_job

NODES = [f"i-{number}" for number in range(6)]
STATUSES = st.sampled_from(["Success", "Failed", "InProgress", "", "Unheard"])
# A row of DynamoDB.
LARGEST_ROW = 400 * 1024


def cover(*reported: str, **fields: object) -> Coverage:
    """Returns the coverage of a scan in which these nodes have just reported."""
    reports = dict.fromkeys(reported, START + MINUTE)
    return replace(Coverage(known=len(NODES), reports=reports), **fields)


def list_targets(job: Job, **statuses: str) -> dict[str, Targets]:
    return {job.key: Targets({f"i-{name[1:]}": status for name, status in statuses.items()})}


@pytest.mark.parametrize("status", ["Success", "SUCCESS", "success"])
def test_success_is_spelt_in_any_case(status: str) -> None:
    assert is_success(status)
    assert not is_running(status)


@pytest.mark.parametrize("status", ["Pending", "InProgress", "In Progress", "in_progress", ""])
def test_a_target_may_still_run_however_that_is_spelt(status: str) -> None:
    assert is_running(status)


@pytest.mark.parametrize("status", ["Failed", "TimedOut", "Skipped", "Cancelled", "Unheard"])
def test_any_other_status_is_final_and_no_result(status: str) -> None:
    assert not is_running(status)
    assert not is_success(status)


def test_a_report_from_before_the_execution_is_no_result() -> None:
    job = make_job(nodes={"Success": 1})
    coverage = cover(reports={"i-1": START - MINUTE})

    counted = judge_targets(job, coverage)
    listed = judge_targets(job, replace(coverage, targets=list_targets(job, i1="Success")))

    assert (counted.reported, counted.pending) == (0, True)
    assert (listed.reported, listed.pending) == (0, True)


def test_a_target_that_failed_is_not_awaited_even_if_it_reported() -> None:
    job = make_job()
    coverage = cover("i-1", targets=list_targets(job, i1="Failed"))

    assert judge_targets(job, coverage) == TargetResults(1, 0, 0, {"i-1": False})


def test_an_unverified_target_has_a_result_that_is_not_verified() -> None:
    job = make_job(nodes={"Success": 2})
    coverage = cover("i-1", "i-2", unverified={"i-1": "why"})
    listed = replace(coverage, targets=list_targets(job, i1="Success", i2="Success"))

    for results in (judge_targets(job, coverage), judge_targets(job, listed)):
        assert (results.reported, results.verified, results.complete) == (2, 1, True)


def test_a_node_counts_once_whatever_the_number_of_executions() -> None:
    jobs = [make_job("a-1"), make_job("a-2"), make_job("a-1", START - HOUR)]
    coverage = cover("i-1", "i-2", "i-3")
    targets = (
        list_targets(jobs[0], i1="Success", i2="Success")
        | list_targets(jobs[1], i2="Failed", i3="Success")
        | list_targets(jobs[2], i1="Failed", i4="Failed")
    )

    results = combine_targets(jobs, replace(coverage, targets=targets))

    # i-2 failed for a-2, i-4 for the older execution of a-1, in which i-1 failed too
    assert (results.targets, results.reported) == (4, 2)
    assert results.without_result == ("i-2", "i-4")


def test_a_later_event_of_an_execution_replaces_the_earlier_one() -> None:
    first = make_job(nodes={"Success": 2})
    later = replace(first, key="later", event_at=START + MINUTE, nodes={"Failed": 2})
    coverage = cover("i-1", "i-2")

    for jobs in ([first, later], [later, first]):
        assert combine_targets(jobs, coverage).reported == 0


def test_an_execution_whose_targets_are_listed_replaces_counts_and_the_reverse() -> None:
    older, newer = make_job(at=START - HOUR, nodes={"Failed": 9}), make_job(nodes={"Failed": 9})
    coverage = cover("i-1")

    listed_last = replace(coverage, targets=list_targets(newer, i1="Success"))
    counted_last = replace(coverage, targets=list_targets(older, i1="Success"))

    assert combine_targets([older, newer], listed_last).complete
    assert combine_targets([older, newer], counted_last).targets == 9


def test_the_least_complete_count_speaks_for_all() -> None:
    jobs = [
        make_job("full", nodes={"Success": 1}),
        make_job("most", nodes={"Success": 2, "Failed": 1}),
        make_job("few", nodes={"Success": 1, "Failed": 5}),
        make_job("unknown"),
    ]
    coverage = cover("i-1", "i-2")

    assert combine_targets(jobs, coverage) == TargetResults(6, 1, 1)
    assert combine_targets([jobs[0], jobs[3]], coverage) == TargetResults(0, 2, 2)
    assert combine_targets(jobs[:1], coverage).complete


def test_findings_of_a_target_that_are_not_checked_any_more_prevent_an_all_clear() -> None:
    job = make_job(nodes={"Success": 1})
    counted = cover("i-1", unchecked={"i-2": 1}, unchecked_since=START)
    elsewhere = replace(counted, targets=list_targets(job, i1="Success"))
    here = replace(elsewhere, unchecked={"i-1": 1})

    assert get_alert(decide(elsewhere, (job,))).topic is Topic.NOTHING_NEW
    assert get_alert(decide(here, (job,))).topic is Topic.PARTLY_CHECKED
    # with a count nobody knows whose findings these are
    assert get_alert(decide(counted, (job,))).topic is Topic.PARTLY_CHECKED


@given(st.lists(st.tuples(st.sampled_from(NODES), STATUSES)), st.sets(st.sampled_from(NODES)))
def test_an_all_clear_is_said_only_if_every_target_succeeded_and_reported(
    listed: list[tuple[str, str]], reported: set[str]
) -> None:
    job = make_job()
    coverage = cover(*reported)
    if listed:
        coverage = replace(coverage, targets={job.key: Targets(merge_targets(listed))})

    alert = decide(coverage, (job,), at=START + HOUR).alert

    is_true = bool(listed) and all(
        status == "Success" and node in reported for node, status in listed
    )
    assert (alert is not None and alert.topic is Topic.NOTHING_NEW) == is_true


@given(st.dictionaries(STATUSES, st.integers(0, 5)), st.sets(st.sampled_from(NODES)))
def test_by_counts_an_all_clear_needs_as_many_reports_as_targets(
    counts: dict[str, int], reported: set[str]
) -> None:
    job = make_job(nodes=counts)

    alert = get_alert(decide(cover(*reported), (job,), at=START + HOUR))

    total, succeeded = sum(counts.values()), counts.get("Success", 0)
    is_true = 0 < total == succeeded <= len(reported)
    assert (alert.topic is Topic.NOTHING_NEW) == is_true
    assert alert.reported <= max(total, len(reported))


def test_the_sizes_of_an_association_stay_few() -> None:
    state = ChannelState()
    for hour in range(24 * 30):
        job = make_job(at=START + hour * HOUR, nodes={"Success": 10_000 - hour})
        state = decide(cover(), (job,), state, at=START + hour * HOUR).channel_state

    (association,) = state.associations.values()

    assert len(association.sizes) <= 8
    assert association.sizes[0][1] <= 10_000 - 24 * 22


def test_an_association_that_is_quiet_for_a_week_is_forgotten() -> None:
    job = make_job(nodes={"Success": 1})
    known = decide(cover("i-1"), (job,)).channel_state

    kept = decide(state=known, at=START + 6 * DAY).channel_state
    forgotten = decide(
        state=decide(state=known, at=START + 8 * DAY).channel_state, at=START + 9 * DAY
    )

    assert kept.associations.keys() == {"a-1"}
    assert forgotten.channel_state.associations == {}


def test_the_channel_state_of_many_associations_fits_into_a_row() -> None:
    jobs = tuple(
        make_job(f"6e37940a-23ba-4ab0-9b96-{number:012}", nodes={"Success": 1})
        for number in range(2 * MAX_REMEMBERED_ASSOCIATIONS)
    )
    sizes = tuple((START + number * DAY, 10**9 - number) for number in range(8))
    full = AssociationState(START, START, START, sizes)

    state = decide(cover("i-1"), jobs).channel_state
    state = replace(
        state,
        associations=dict.fromkeys(state.associations, full),
        unverified=frozenset(f"i-{number:017}" for number in range(MAX_REMEMBERED_NODES)),
    )

    assert len(state.associations) == MAX_REMEMBERED_ASSOCIATIONS
    assert len(msgspec.json.encode(state)) < LARGEST_ROW
