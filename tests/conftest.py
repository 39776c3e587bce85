"""Isolates every test from the AWS account and environment of the caller, and from other tests."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings
from xdist.remote import Producer

from devstack import dynamodb_local
from devstack.environment import isolate
from tests.scheduling import SharingScheduler

# This comes before any test module imports moto: its import fails if AWS_PROFILE does not exist.
isolate()

# `make test` tries the same inputs each time, so its result repeats. `make soak` tries others.
settings.register_profile(
    "usual",
    max_examples=100 if os.environ.get("CI") else 25,
    deadline=None,
    derandomize=not os.environ.get("SOAK"),
)
settings.load_profile("usual")


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """Restores the environment after each test, because handlers read their settings from it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def dynamodb_url() -> Iterator[str]:
    """The URL of one DynamoDB Local for all tests. Each test creates its own tables in it."""
    reason = dynamodb_local.describe_missing()
    if reason:
        pytest.skip(f"DynamoDB Local cannot run: {reason}")
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as java:
            # It runs for a minute or two, so thorough compiling would cost more than it saves.
            java.setenv("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
            url = stack.enter_context(dynamodb_local.run_dynamodb_local())
        yield url


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharingScheduler | None:
    """Makes `--dist loadgroup` use our own groups."""
    return SharingScheduler(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests record with `record_property("summary", …)`, from every worker."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(str(value))
