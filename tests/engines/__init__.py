"""The pass on real engines, under load and fault."""
