"""Instants as DynamoDB keeps them: text that sorts in order of time, and the epoch of a TTL."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache


def to_text(at: datetime) -> str:
    """ISO 8601 in UTC, always with microseconds, so that texts compare as their instants do."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@lru_cache(maxsize=2_048)
def from_text(text: str) -> datetime:
    """The instant of such a text, aware UTC."""
    return datetime.fromisoformat(text)


def from_optional(text: str | None) -> datetime | None:
    """The instant, or None where the attribute is absent."""
    return None if text is None else from_text(text)


def present(**instants: datetime | None) -> dict[str, str]:
    """The attributes of those instants that are not None."""
    return {name: to_text(at) for name, at in instants.items() if at is not None}


def expiry(at: datetime, keep: timedelta) -> int:
    """When a row may be removed, in whole seconds since 1970, as DynamoDB's TTL wants it."""
    return int((at + keep).timestamp())
