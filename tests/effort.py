"""How many random examples a test tries: few in `make test`, many in `make soak`."""

import os


def examples(usual: int, soak: int) -> int:
    """The number of examples to try. `make soak` sets SOAK."""
    return soak if os.environ.get("SOAK") else usual
