"""Values and rules: standard library only, no clock, no I/O, no log."""
