"""The handlers of events."""
