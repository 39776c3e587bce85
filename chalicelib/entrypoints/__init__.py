"""Events and requests in, use cases called, answers out."""
