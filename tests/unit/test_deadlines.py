"""Waits and time-outs of the parts fit into the time that the whole leaves for them."""

from datetime import timedelta

from chalicelib import bootstrap
from chalicelib.adapters.slack import channel
from chalicelib.usecases import run
from chalicelib.usecases.announce import deliver


def test_a_post_ends_before_lambda_does_whatever_slack_makes_it_wait_for() -> None:
    # tried once, told to wait, tried again
    longest = channel.TIMEOUT + bootstrap.SLACK_WAIT + channel.TIMEOUT
    assert timedelta(seconds=longest) <= deliver.STEP_TIME


def test_there_is_time_to_tell_what_was_read() -> None:
    assert deliver.STEP_TIME < run.ANNOUNCING_TIME < run.ANOTHER_SCAN
