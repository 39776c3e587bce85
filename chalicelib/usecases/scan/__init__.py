"""Scanning: read SSM Compliance, compare with the store, write the differences."""
