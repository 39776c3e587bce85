"""Hostile input never breaks a promise. `python -m tests.fuzz.soak` searches longer."""
