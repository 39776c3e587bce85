"""Reads and validates the settings. Nothing else reads the environment.

Nothing is read at import. `Triggers` are the three settings that app.py needs
when the Chalice CLI imports it, because they become infrastructure.
"""

import re
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from chalicelib.domain.errors import BadSetting

PLACEHOLDER = "CHANGE-ME"
_CHANNEL_ID = re.compile(r"[CGDZ][A-Z0-9]{8,}")
_SCHEDULE = re.compile(r"(cron|rate)\(.+\)")
# The limit of a filter of SSM's compliance calls (API reference).
_MOST_TYPES = 20
_TYPE = re.compile(r"Custom:\w{1,80}")


class Triggers(Struct, frozen=True):
    """The settings that app.py needs at import: documents, schedule, authorization of the API."""

    association_documents: tuple[str, ...]
    monthly_schedule: str
    api_auth: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Triggers":
        """Reads the three settings; `BadSetting` names the first that is wrong."""
        read = _Reader(env)
        return cls(
            association_documents=read.names("ASSOCIATION_DOCUMENTS", "AWS-RunInspecChecks"),
            monthly_schedule=read.text("MONTHLY_SCHEDULE", "cron(0 8 1 * ? *)", _SCHEDULE),
            api_auth=read.choice("API_AUTH", "token", ("token", "iam")),
        )


class Settings(Struct, frozen=True):
    """All settings."""

    findings_table: str
    nodes_table: str
    ledger_table: str
    reports_bucket: str
    slack_channel: str
    slack_token_parameter: str
    slack_base_url: str
    api_auth: str
    api_tokens_parameter: str | None
    compliance_types: tuple[str, ...]
    association_documents: tuple[str, ...]
    quiet_answers: bool
    csv_separator: str
    timezone: str
    max_snooze_days: int
    allow_permanent_snooze: bool
    unchecked_days: int
    ssm_concurrency: int
    stage: str
    log_level: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Reads all settings; `BadSetting` names the first that is missing or wrong."""
        read = _Reader(env)
        triggers = Triggers.from_env(env)
        return cls(
            findings_table=read.text("FINDINGS_TABLE"),
            nodes_table=read.text("NODES_TABLE"),
            ledger_table=read.text("LEDGER_TABLE"),
            reports_bucket=read.text("REPORTS_BUCKET"),
            slack_channel=read.channel("SLACK_CHANNEL"),
            slack_token_parameter=read.text("SLACK_TOKEN_PARAMETER"),
            slack_base_url=read.base_url("SLACK_BASE_URL", "https://slack.com/api/"),
            api_auth=triggers.api_auth,
            api_tokens_parameter=read.optional("API_TOKENS_PARAMETER"),
            compliance_types=read.types("COMPLIANCE_TYPES", "Custom:InSpec,Custom:Inspec"),
            association_documents=triggers.association_documents,
            quiet_answers=read.choice("NO_NEW_FINDINGS", "message", ("message", "silent"))
            == "message",
            csv_separator=read.choice("CSV_SEPARATOR", "comma", ("comma", "semicolon", "tab")),
            timezone=read.timezone("TIMEZONE", "UTC"),
            max_snooze_days=read.number("MAX_SNOOZE_DAYS", 180, lowest=1, highest=3650),
            allow_permanent_snooze=read.choice("ALLOW_PERMANENT_SNOOZE", "true", ("true", "false"))
            == "true",
            unchecked_days=read.number("UNCHECKED_DAYS", 45, lowest=1, highest=365),
            ssm_concurrency=read.number("SSM_CONCURRENCY", 8, lowest=1, highest=32),
            stage=read.text("STAGE", "dev"),
            log_level=read.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        )


class _Reader:
    """Reads one setting at a time; `BadSetting` names it if it is missing or wrong."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def text(
        self, name: str, default: str | None = None, pattern: re.Pattern[str] | None = None
    ) -> str:
        value = self._env.get(name, "").strip() or default
        if value is None:
            raise BadSetting(name, "is missing; set it in .chalice/config.json for this stage")
        if PLACEHOLDER in value:
            raise BadSetting(name, "still has its placeholder; set it in .chalice/config.json")
        if pattern and not pattern.fullmatch(value):
            raise BadSetting(name, f"{value!r} does not match {pattern.pattern}")
        return value

    def optional(self, name: str) -> str | None:
        return self.text(name, "") or None

    def channel(self, name: str) -> str:
        value = self.text(name)
        if not _CHANNEL_ID.fullmatch(value):
            raise BadSetting(
                name,
                f"{value!r} is not a channel ID; "
                "copy the ID (C…) from the channel's details in Slack",
            )
        return value

    def base_url(self, name: str, default: str) -> str:
        value = self.text(name, default, re.compile(r"https?://\S+"))
        return value if value.endswith("/") else f"{value}/"

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in choices:
            raise BadSetting(name, f"{value!r} is not one of {', '.join(choices)}")
        return value

    def names(self, name: str, default: str) -> tuple[str, ...]:
        values = [part.strip() for part in self.text(name, default).split(",")]
        if not all(values):
            raise BadSetting(name, "has an empty entry; separate entries by single commas")
        return tuple(dict.fromkeys(values))

    def types(self, name: str, default: str) -> tuple[str, ...]:
        values = self.names(name, default)
        if len(values) > _MOST_TYPES:
            raise BadSetting(name, f"has {len(values)} entries; SSM accepts at most {_MOST_TYPES}")
        for value in values:
            if not _TYPE.fullmatch(value):
                text = f"{value!r} is not a custom compliance type, such as Custom:InSpec"
                raise BadSetting(name, text)
        return values

    def timezone(self, name: str, default: str) -> str:
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            text = f"{value!r} is not an IANA time zone, such as Europe/Berlin"
            raise BadSetting(name, text) from error
        return value

    def number(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        value = self.text(name, str(default))
        if not value.isascii() or not value.isdigit() or not lowest <= int(value) <= highest:
            text = f"{value!r} is not a whole number from {lowest} to {highest}"
            raise BadSetting(name, text)
        return int(value)
