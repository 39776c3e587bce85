"""Handlers of events: association executions and schedules."""
