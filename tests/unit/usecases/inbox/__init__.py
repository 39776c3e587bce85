"""Unit tests of what the API does."""
