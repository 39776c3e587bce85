"""Whole deployments, in an emulator that runs the functions and checks their policies."""
