"""Slack: posts messages and uploads files into their threads."""

from chalicelib.adapters.slack.channel import SlackChannel, slack_channel

__all__ = ["SlackChannel", "slack_channel"]
