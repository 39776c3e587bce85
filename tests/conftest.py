"""No test sees the AWS account, profile or settings of whoever runs it, nor of another test."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings
from xdist.remote import Producer

from devstack import dynamodb_local
from devstack.environment import isolate
from tests.scheduling import SharingScheduler

# Before any test module imports moto, which fails at import on a profile that does not exist.
isolate()

# The same inputs each time, so that `make test` says the same each time; `make soak` tries others.
settings.register_profile(
    "usual",
    max_examples=100 if os.environ.get("CI") else 25,
    deadline=None,
    derandomize=not os.environ.get("SOAK"),
)
settings.load_profile("usual")


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Handlers take their settings from the environment: what a test put there goes with it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def dynamodb_url() -> Iterator[str]:
    """One DynamoDB Local for all tests that need it. Each test creates its own tables in it."""
    reason = dynamodb_local.describe_missing()
    if reason:
        pytest.skip(f"DynamoDB Local cannot run: {reason}")
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as java:
            # It runs for a minute or two: thorough compiling would cost more than it saves.
            java.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
            url = stack.enter_context(dynamodb_local.run_dynamodb_local())
        yield url


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharingScheduler | None:
    """Serve `--dist loadgroup` with groups of our own."""
    return SharingScheduler(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests tell of themselves, `record_property("summary", …)`, whoever ran them."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(str(value))
