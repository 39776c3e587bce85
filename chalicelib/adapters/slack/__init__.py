"""Slack: posts messages and puts files into their threads."""

from chalicelib.adapters.slack.channel import SlackChannel, slack_channel

__all__ = ["SlackChannel", "slack_channel"]
