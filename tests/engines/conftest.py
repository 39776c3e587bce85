from collections.abc import Iterator

import pytest

from tests.engines.engines import Engines, run_engines


@pytest.fixture(scope="package")
def all_engines(dynamodb_url: str) -> Iterator[Engines]:
    with run_engines(dynamodb_url) as engines:
        yield engines


@pytest.fixture
def engines(all_engines: Engines) -> Engines:
    """Engines that are started once, and empty for each test."""
    all_engines.reset()
    return all_engines
