"""What profiles say of their controls, in memory."""

from chalicelib.domain.control import ControlText


class MemoryControls:
    """`Controls`. `texts` may be changed."""

    def __init__(self, texts: dict[str, ControlText] | None = None) -> None:
        self.texts = texts or {}

    def find(self, control_id: str) -> ControlText | None:
        """Finds what a control says."""
        return self.texts.get(control_id)
