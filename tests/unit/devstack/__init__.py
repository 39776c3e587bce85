"""The stand-ins' own rules."""
