"""Measurements: calls by operation and seconds."""
