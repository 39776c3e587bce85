import pytest

from bench.meter import count_transaction_units

FINDING = {"finding_id": {"S": "1"}, "title": {"S": "A"}}


@pytest.mark.parametrize(
    ("action", "units"),
    [
        ({"Put": {"Item": {"pk": {"S": "A"}}}}, 2),
        ({"Delete": {"Key": {"pk": {"S": "A"}}}}, 2),
        ({"Put": {"Item": {"pk": {"S": "A" * 1_024}}}}, 4),
        ({"Put": {"Item": FINDING}}, 4),
        ({"Delete": {"Key": {"finding_id": {"S": "1"}}}}, 4),
    ],
)
def test_a_transaction_costs_twice_and_once_more_in_each_index(
    action: dict[str, dict[str, dict[str, dict[str, str]]]], units: int
) -> None:
    assert count_transaction_units([action, action]) == 2 * units
