"""Equal texts as one object: a fleet repeats its titles, ids and times from row to row."""

from functools import lru_cache


@lru_cache(maxsize=8_192)
def shared(text: str) -> str:
    """The text, as the object that was seen first, as long as that is remembered."""
    return text
