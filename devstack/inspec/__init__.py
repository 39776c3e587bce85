"""Does on this machine what AWS-RunInspecChecks does with an InSpec report on a node."""
