"""A stand-in for Slack's Web API: one channel, Slack's limits and error codes, planned faults."""

from devstack.slack.faults import Fault, FaultKind
from devstack.slack.model import File, Message
from devstack.slack.server import SlackStandIn, serve_slack

__all__ = ["Fault", "FaultKind", "File", "Message", "SlackStandIn", "serve_slack"]
