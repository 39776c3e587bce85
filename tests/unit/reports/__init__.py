"""Unit tests of messages and files."""
