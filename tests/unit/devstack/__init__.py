"""The report parser and the events of devstack."""
