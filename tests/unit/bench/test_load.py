from bench.api.requests import LoadResponse, build_kinds, list_errors, summarize
from bench.api.tables import FilledFleet


def make_responses(*milliseconds: float) -> list[LoadResponse]:
    """One response after the other, from second 100."""
    began, responses = 100.0, []
    for number, each in enumerate(milliseconds):
        responses.append(LoadResponse(number, began, each, None))
        began += each / 1000
    return responses


def test_each_kind_names_a_node_or_finding_once_if_there_are_enough_nodes() -> None:
    for kind in build_kinds(FilledFleet(findings=1_200, titles=400), number=60):
        assert len({(each.method, each.path) for each in kind.requests}) == 60, kind.name


def test_each_snooze_is_of_another_finding_if_there_are_few_nodes() -> None:
    *_, snooze = build_kinds(FilledFleet(findings=40, titles=40), number=40)

    assert len({each.path for each in snooze.requests}) == 40


def test_the_figures_exclude_the_warm_up() -> None:
    responses = make_responses(9_000, 9_000, *[10] * 100)

    kind = summarize("get", responses, warm_up=2, errors=0)

    assert (kind.name, kind.p50_ms, kind.p95_ms, kind.per_second) == ("get", 10, 10, 100)


def test_the_number_of_a_request_decides_whether_it_is_warm_up() -> None:
    responses = make_responses(9_000, *[10] * 100)[::-1]

    kind = summarize("get", responses, warm_up=1, errors=0)

    assert (kind.p95_ms, kind.per_second) == (10, 100)


def test_errors_are_reported_even_if_nothing_was_measured() -> None:
    assert summarize("get", make_responses(10, 10), warm_up=2, errors=7).errors == 7


def test_errors_of_the_warm_up_are_listed() -> None:
    error = "GET /v1/findings: 403 Forbidden"
    responses = [LoadResponse(0, 100.0, 10.0, error), *make_responses(10)]

    assert list_errors(responses, requests=2) == [error]


def test_a_request_without_a_response_is_an_error() -> None:
    assert len(list_errors(make_responses(10, 10), requests=5)) == 3
