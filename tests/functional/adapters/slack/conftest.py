from collections.abc import Iterator

import pytest

from chalicelib.adapters.slack import SlackChannel, slack_channel
from devstack.slack import SlackStandIn, serve_slack
from tests.functional.adapters.slack.calls import CHANNEL, TOKEN


@pytest.fixture(scope="module")
def server() -> Iterator[SlackStandIn]:
    with serve_slack() as running:
        yield running


@pytest.fixture
def slack(server: SlackStandIn) -> SlackStandIn:
    server.reset()
    return server


@pytest.fixture
def naps() -> list[float]:
    """Seconds that the channel has slept, instead of sleeping."""
    return []


@pytest.fixture
def channel(slack: SlackStandIn, naps: list[float]) -> SlackChannel:
    return slack_channel(lambda: TOKEN, CHANNEL, slack.base_url, sleep=naps.append)
