"""The measurements' own rules."""
