"""No test sees the AWS account, profile or settings of whoever runs it, nor of another test."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from devstack.environment import isolate

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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests tell of themselves, `record_property("summary", …)`, whoever ran them."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(str(value))
