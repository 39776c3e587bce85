from collections.abc import Iterator

import pytest

from tests.functional.service import Service, run_service


@pytest.fixture
def service() -> Iterator[Service]:
    with run_service() as service:
        yield service
