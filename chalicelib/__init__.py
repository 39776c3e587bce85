"""The service. docs/architecture.md has the picture."""

from chalicelib.startup import defer_collector

__version__ = "0.1.0"

defer_collector()
