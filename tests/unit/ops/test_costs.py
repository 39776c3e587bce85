from dataclasses import replace

from ops.costs import Fleet, estimate_costs


def total(fleet: Fleet) -> float:
    return sum(each.dollars for each in estimate_costs(fleet, metrics=15, alarms=15))


def test_a_usual_fleet_costs_a_few_dollars_and_monitoring_is_most_of_it() -> None:
    costs = {
        each.label.split(" (")[0]: each.dollars
        for each in estimate_costs(Fleet(), metrics=15, alarms=15)
    }

    assert costs["CloudWatch metrics"] == 4.5
    assert costs["CloudWatch alarms"] == 1.5
    assert 5 < total(Fleet()) < 15


def test_a_larger_fleet_costs_more() -> None:
    large = replace(Fleet(), nodes=10_000, findings=200_000)

    assert total(large) > total(Fleet())
    assert total(replace(large, scans_a_day=24)) > 2 * total(large) - total(Fleet())


def test_every_line_has_a_label() -> None:
    costs = estimate_costs(Fleet(), metrics=1, alarms=1)

    assert all(each.label and each.dollars >= 0 for each in costs)
