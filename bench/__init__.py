"""Measures calls, seconds, units and memory. Writes docs/benchmarks.md."""
