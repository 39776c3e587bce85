"""Scanning: reads SSM Compliance, compares with the store, writes the differences."""
