"""How much is tried at random: little by `make test`, much by `make soak`, which sets SOAK."""

import os


def examples(usual: int, soak: int) -> int:
    """The number of examples that a test tries."""
    return soak if os.environ.get("SOAK") else usual
