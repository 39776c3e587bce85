"""One vendor in each file or folder. The client is passed in."""
