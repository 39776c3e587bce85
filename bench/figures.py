"""What one scan took, as its process tells it and as it is kept in bench/results."""

import msgspec


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One scan.

    calls: by operation, tries included · engine_seconds: the summed duration of its calls to
    DynamoDB · left: nodes that the time did not suffice for · doubts: nodes by the reason why
    their reading is in doubt · topic: what Slack was told · failure: what kept it from its end.
    """

    seconds: float
    cpu_seconds: float
    engine_seconds: float
    peak_mb: float
    calls: dict[str, int]
    read_units: float
    write_units: float
    opened: int = 0
    resolved: int = 0
    open: int = 0
    left: int = 0
    doubts: dict[str, int] = {}
    topic: str = ""
    failure: str = ""

    @property
    def all_calls(self) -> int:
        """Calls to AWS, whatever the operation."""
        return sum(self.calls.values())
