"""One vendor a file, the client passed in."""
