"""A third output that posts JSON to a server: the proof that an output is a folder and a line.

It is not shipped. `output.py` takes messages and follows facts, `server.py` receives both.
"""

from tests.webhook.output import WebhookFacts, WebhookMessages
from tests.webhook.server import HttpReceiver, Receiver, serve_receiver

__all__ = ["HttpReceiver", "Receiver", "WebhookFacts", "WebhookMessages", "serve_receiver"]
