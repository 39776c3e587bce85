"""Scans on real engines, with faults and killed processes."""
