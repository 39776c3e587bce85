"""The service whose findings people snooze."""

import pytest

from tests.fleet import Service


@pytest.fixture
def service() -> Service:
    """A service that stores A and B on i-1, and A with low severity on i-2."""
    service = Service()
    service.report("i-1", "A", "B")
    service.report("i-2", "A", severity="LOW")
    service.run()
    return service
