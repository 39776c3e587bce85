"""One suite for each port: the fake and every real adapter pass it."""
