"""Executions in which fewer than half of a node's usual checks ran."""

from tests.fleet import HOUR, Service


def test_a_node_where_fewer_than_half_of_the_usual_checks_ran_is_named_until_they_run_again() -> (
    None
):
    service = Service()
    service.report("i-1", "A", compliant=39)
    service.report("i-2", "B", compliant=39)
    assert service.run_to_outcome().coverage.partial == ()

    service.clock.forward(HOUR)
    service.report("i-1", "A", compliant=18, run="run-2")
    service.report("i-2", "B", compliant=19, run="run-2")
    assert service.run_to_outcome().coverage.partial == ("i-1",)
    assert service.run_to_outcome().coverage.partial == ("i-1",)

    service.clock.forward(HOUR)
    service.report("i-1", "A", compliant=39, run="run-3")
    assert service.run_to_outcome().coverage.partial == ()


def test_an_execution_is_remembered_only_when_it_is_verified() -> None:
    service = Service()
    service.report("i-1", "A", compliant=39)
    service.run()
    (before,) = service.nodes.all()

    service.clock.forward(HOUR)
    service.report("i-1", compliant=0, run="run-2")
    outcome = service.run_to_outcome()
    (after,) = service.nodes.all()

    assert outcome.coverage.unverified
    assert outcome.coverage.partial == ()
    assert (after.runs, after.checks) == (before.runs, before.checks)
