"""SSM Compliance in memory: what three SSM actions accept, keep and answer."""
