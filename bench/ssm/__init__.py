"""SSM Compliance in its own process, for benchmarks: any fleet, latency and rate limit."""
