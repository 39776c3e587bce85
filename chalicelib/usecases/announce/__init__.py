"""Announcing: decides and stages a message, then delivers it."""
