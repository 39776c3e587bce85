"""Adapters over HTTP, with the errors of the service behind each."""
