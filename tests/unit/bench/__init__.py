"""The rules of the benchmark."""
