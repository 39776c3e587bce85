"""Receives events and requests, calls use cases, returns responses."""
