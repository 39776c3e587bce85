"""What a profile says of its controls."""

from msgspec import Struct


class ControlText(Struct, frozen=True):
    """What a control asks of a node, and how to mend a node that fails it. One line each."""

    description: str = ""
    fix: str = ""
