"""How much is tried: little on every change, much in a soak."""

import os


def examples(usual: int) -> int:
    """The examples to try; `SOAK_EXAMPLES` asks for another number of them."""
    return int(os.environ.get("SOAK_EXAMPLES", usual))
