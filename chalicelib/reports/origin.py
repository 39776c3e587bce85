"""Where a message comes from, and the clock its readers live by."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Origin:
    """The account, region and stage that every message carries; `timezone` is an IANA name."""

    account: str
    region: str
    stage: str
    timezone: str

    def local(self, at: datetime) -> str:
        """A time as its readers' clock shows it, for example `2026-11-23 08:15 UTC`."""
        # UTC needs no time zone database, which a runtime may lack
        zone = UTC if self.timezone == "UTC" else ZoneInfo(self.timezone)
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M %Z}"

    def __str__(self) -> str:
        return f"account {self.account} · {self.region} · {self.stage}"
