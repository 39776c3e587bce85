"""One suite for a fake and for the real engine."""
