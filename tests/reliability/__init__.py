"""The promises of a scan under crashes and faults. docs/reliability.md names the test of each."""
