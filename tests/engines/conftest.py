from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from devstack import dynamodb_local
from tests.engines.engines import Engines, running_engines


@pytest.fixture(scope="session")
def dynamodb_url() -> Iterator[str]:
    reason = dynamodb_local.describe_missing()
    if reason:
        pytest.skip(f"DynamoDB Local is left out: {reason}")
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as environment:
            # it lives for a minute: compiling thoroughly costs more than it saves
            environment.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
            url = stack.enter_context(dynamodb_local.run_dynamodb_local())
        yield url


@pytest.fixture(scope="package")
def running(dynamodb_url: str) -> Iterator[Engines]:
    with running_engines(dynamodb_url) as engines:
        yield engines


@pytest.fixture
def engines(running: Engines) -> Engines:
    """Started once, and as good as new for each test."""
    running.reset()
    return running
