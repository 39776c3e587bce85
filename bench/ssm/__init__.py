"""SSM Compliance as a process of its own, for benchmarks: any fleet, any latency, any limit."""
