"""A change of the whole fleet, played through the real passes on a simulated clock."""
