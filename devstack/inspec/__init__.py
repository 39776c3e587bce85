"""What AWS-RunInspecChecks does on a node, for a report on this machine."""
