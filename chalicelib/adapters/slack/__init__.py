"""Slack: posts messages and uploads files into their threads."""

from chalicelib.adapters.slack.channel import SlackChannel, slack_channel
from chalicelib.adapters.slack.output import Channel, SlackOutput

__all__ = ["Channel", "SlackChannel", "SlackOutput", "slack_channel"]
