"""Measures the monthly report by size: the rate of its CSV, its time, and its peak memory."""
