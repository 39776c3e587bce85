"""Handlers and servers over real protocols."""
