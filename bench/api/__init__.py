"""Measures the API: latency by table size, and load with several users."""
