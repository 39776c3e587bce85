"""Announcing: decide and stage a message, then deliver it."""
