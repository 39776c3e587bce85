"""Hostile input: whatever comes in, a promise holds; `python -m tests.fuzz.soak` looks longer."""
