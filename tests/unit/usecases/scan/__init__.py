"""Unit tests of a scan."""
