"""The inbox: looks up findings, snoozes them, shows totals."""
