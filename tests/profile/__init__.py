"""The InSpec profile: its form, and what it makes of hosts of every kind."""
