from collections.abc import Iterator

import pytest

from tests.engines.engines import Engines, running_engines


@pytest.fixture(scope="package")
def running(dynamodb_url: str) -> Iterator[Engines]:
    with running_engines(dynamodb_url) as engines:
        yield engines


@pytest.fixture
def engines(running: Engines) -> Engines:
    """Started once, and as good as new for each test."""
    running.reset()
    return running
