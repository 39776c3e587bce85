"""Each kind of result as a section of docs/benchmarks.md; pure."""
