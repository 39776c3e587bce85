"""The event handlers: association executions, schedules."""
