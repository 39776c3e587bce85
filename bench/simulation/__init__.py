"""A change of the whole fleet, played through the real scans on a simulated clock."""
