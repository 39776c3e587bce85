"""Renders each kind of result as a section of docs/benchmarks.md. Pure functions."""
