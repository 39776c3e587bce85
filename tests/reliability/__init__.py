"""The promises of a pass under crashes and faults; what holds which: docs/reliability.md."""
