"""Tests of the commands that tend a stage."""
