"""The channel in Slack."""
