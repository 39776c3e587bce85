"""What the service does, in words of the domain. The outside world is behind ports."""
