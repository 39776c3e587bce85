"""Deployments, whole: what is packaged runs where functions and policies are real."""
