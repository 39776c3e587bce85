"""What an invocation leaves undone is raised, so that Lambda tries again."""

import pytest
from msgspec.structs import replace

from chalicelib.domain.errors import DeliveryError, Unavailable
from chalicelib.entrypoints.events.handlers import raise_undone
from tests.fleet import Service

FAILURE = Unavailable("DynamoDB does not answer")


def test_the_failure_of_any_scan_is_raised() -> None:
    done = Service().run()
    failed = replace(done, failure=FAILURE)

    for reports in ((failed, done), (done, failed)):
        with pytest.raises(Unavailable):
            raise_undone(reports)


def test_a_step_is_raised_if_the_last_scan_could_not_take_it() -> None:
    service = Service()
    service.report("i-1", "A")
    service.channel.fail_post(DeliveryError("service_unavailable", retryable=True))
    undelivered, delivered = service.run(), service.run()

    with pytest.raises(DeliveryError):
        raise_undone((delivered, undelivered))
    raise_undone((undelivered, delivered))
    raise_undone(())
