"""The inbox: look up findings, snooze them, see totals."""
