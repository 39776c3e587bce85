"""What the service does, in the domain's words, through ports."""
