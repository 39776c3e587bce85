"""Unit tests of the event handlers."""
