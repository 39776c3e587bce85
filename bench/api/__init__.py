"""Measures the API: cost by size of the fleet, and load with several users."""
