from bench.load.figures import Answer, faults_of, figures_of


def answers(*milliseconds: float) -> list[Answer]:
    """One answer after the other, from the second 100 on."""
    began, made = 100.0, []
    for number, each in enumerate(milliseconds):
        made.append(Answer(number, began, each, None))
        began += each / 1000
    return made


def test_the_warm_up_is_in_no_time() -> None:
    made = figures_of("get", answers(9_000, 9_000, *[10] * 100), warm_up=2, errors=0)
    assert (made.name, made.p50_ms, made.p95_ms, made.per_second) == ("get", 10, 10, 100)


def test_answers_are_told_from_the_warm_up_by_their_number_not_by_their_turn() -> None:
    made = figures_of("get", answers(9_000, *[10] * 100)[::-1], warm_up=1, errors=0)
    assert (made.p95_ms, made.per_second) == (10, 100)


def test_where_nothing_was_measured_the_errors_are_told_all_the_same() -> None:
    assert figures_of("get", answers(10, 10), warm_up=2, errors=7).errors == 7


def test_a_fault_is_named_in_the_warm_up_too() -> None:
    made = [Answer(0, 100.0, 10.0, "GET /v1/findings: 403 Forbidden"), *answers(10)]
    assert faults_of(made, asked=2) == ["GET /v1/findings: 403 Forbidden"]


def test_what_was_never_answered_is_an_error() -> None:
    assert len(faults_of(answers(10, 10), asked=5)) == 3
