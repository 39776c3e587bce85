"""Asks before something is done that costs or removes anything."""

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from ops.stop import Stop


def agreed(
    question: str,
    word: str = "y",
    env: Mapping[str, str] = os.environ,
    source: TextIO = sys.stdin,
) -> None:
    """Go on only where the answer is `word`: typed at a terminal, or in the variable YES.

    `word` y stands for YES=1 too. `Stop` otherwise.
    """
    given = env.get("YES", "")
    accepted = {"y", "1"} if word == "y" else {word}
    if given:
        if given not in accepted:
            raise Stop(f"YES={given} is not what was asked for; nothing was done")
        return
    if not source.isatty():
        wanted = "1" if word == "y" else word
        raise Stop(f"nobody is there to ask; say YES={wanted} if it shall be done")
    sys.stdout.write(f"{question} ")
    sys.stdout.flush()
    if source.readline().strip().lower() != word:
        raise Stop("nothing was done")
