"""Plays a change of a whole fleet through the real scan, on a simulated clock."""
