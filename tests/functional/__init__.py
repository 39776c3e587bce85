"""The service and its stand-ins over real protocols."""
