"""Waits and timeouts fit into the time that is left for them."""

from datetime import timedelta

from chalicelib import bootstrap
from chalicelib.adapters.slack import channel
from chalicelib.usecases import run
from chalicelib.usecases.announce import deliver


def test_a_post_that_slack_delays_still_ends_before_the_deadline() -> None:
    # one try, one wait that Slack asks for, one more try
    longest = channel.TIMEOUT + bootstrap.SLACK_WAIT + channel.TIMEOUT

    assert timedelta(seconds=longest) <= deliver.STEP_TIME


def test_there_is_time_to_announce_what_was_read() -> None:
    assert deliver.STEP_TIME < run.ANNOUNCING_TIME < run.ANOTHER_SCAN
