"""The service that most tests of the use cases begin with."""

import pytest

from tests.fleet import Service


@pytest.fixture
def service() -> Service:
    """A service in memory without nodes."""
    return Service()
