"""Settings are read from the environment, and a wrong one is named."""

import pytest

from chalicelib.domain.errors import BadSetting
from chalicelib.settings import Settings, Triggers

NEEDED = {
    "FINDINGS_TABLE": "findings",
    "NODES_TABLE": "nodes",
    "LEDGER_TABLE": "ledger",
    "REPORTS_BUCKET": "reports",
    "SLACK_CHANNEL": "C012345678",
    "SLACK_TOKEN_PARAMETER": "/slack",
}


def test_an_unset_setting_has_its_documented_default() -> None:
    settings = Settings.from_env(NEEDED)
    assert settings.slack_base_url == "https://slack.com/api/"
    assert settings.compliance_types == ("Custom:InSpec", "Custom:Inspec")
    assert settings.association_documents == ("AWS-RunInspecChecks",)
    assert settings.quiet_answers
    assert settings.allow_permanent_snooze
    assert (settings.timezone, settings.stage, settings.log_level) == ("UTC", "dev", "INFO")
    assert (settings.ssm_concurrency, settings.max_snooze_days) == (8, 180)
    assert (settings.api_auth, settings.api_tokens_parameter) == ("token", None)


def test_the_triggers_need_no_setting() -> None:
    assert Triggers.from_env({}) == Triggers(("AWS-RunInspecChecks",), "cron(0 8 1 * ? *)", "token")


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_setting_is_named(name: str) -> None:
    for env in ({**NEEDED, name: "  "}, {key: NEEDED[key] for key in NEEDED if key != name}):
        with pytest.raises(BadSetting, match=f"^setting {name}: is missing") as raised:
            Settings.from_env(env)
        assert raised.value.name == name


@pytest.mark.parametrize("name", NEEDED)
def test_a_setting_with_its_placeholder_is_named(name: str) -> None:
    with pytest.raises(BadSetting, match=f"^setting {name}: still has its placeholder"):
        Settings.from_env({**NEEDED, name: "reports-CHANGE-ME"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SLACK_CHANNEL", "#security"),
        ("SLACK_BASE_URL", "slack.com/api"),
        ("COMPLIANCE_TYPES", "Association"),
        ("COMPLIANCE_TYPES", "Custom:InSpec,,Custom:Other"),
        ("COMPLIANCE_TYPES", ",".join(f"Custom:T{number}" for number in range(21))),
        ("ASSOCIATION_DOCUMENTS", ","),
        ("MONTHLY_SCHEDULE", "every month"),
        ("API_AUTH", "none"),
        ("NO_NEW_FINDINGS", "yes"),
        ("TIMEZONE", "Berlin"),
        ("TIMEZONE", "../etc"),
        ("SSM_CONCURRENCY", "0"),
        ("SSM_CONCURRENCY", "33"),
        ("SSM_CONCURRENCY", "eight"),
        ("SSM_CONCURRENCY", "٨"),
        ("MAX_SNOOZE_DAYS", "0"),
        ("MAX_SNOOZE_DAYS", "3651"),
        ("MAX_SNOOZE_DAYS", "1.5"),
        ("MAX_SNOOZE_DAYS", "-1"),
        ("ALLOW_PERMANENT_SNOOZE", "no"),
        ("ALLOW_PERMANENT_SNOOZE", "False"),
        ("API_TOKENS_PARAMETER", "/CHANGE-ME/api-tokens"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_names_its_setting(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as raised:
        Settings.from_env({**NEEDED, name: value})
    assert raised.value.name == name


def test_blanks_and_repetitions_are_dropped_from_lists() -> None:
    settings = Settings.from_env({**NEEDED, "COMPLIANCE_TYPES": "Custom:A, Custom:B,Custom:A"})
    assert settings.compliance_types == ("Custom:A", "Custom:B")


def test_a_base_url_gets_a_slash_at_its_end_and_a_time_zone_may_be_any_of_iana() -> None:
    env = {**NEEDED, "SLACK_BASE_URL": "http://127.0.0.1:9/api", "TIMEZONE": "Europe/Berlin"}
    settings = Settings.from_env(env)
    assert (settings.slack_base_url, settings.timezone) == (
        "http://127.0.0.1:9/api/",
        "Europe/Berlin",
    )


def test_quiet_answers_can_be_turned_off() -> None:
    assert not Settings.from_env({**NEEDED, "NO_NEW_FINDINGS": "silent"}).quiet_answers


def test_permanent_snoozes_can_be_turned_off() -> None:
    env = {**NEEDED, "ALLOW_PERMANENT_SNOOZE": "false"}
    assert not Settings.from_env(env).allow_permanent_snooze


@pytest.mark.parametrize("days", [1, 3650])
def test_the_longest_snooze_has_1_to_3650_days(days: int) -> None:
    assert Settings.from_env({**NEEDED, "MAX_SNOOZE_DAYS": str(days)}).max_snooze_days == days


def test_the_api_settings_are_read() -> None:
    settings = Settings.from_env({**NEEDED, "API_AUTH": "iam", "API_TOKENS_PARAMETER": " /tokens "})
    assert (settings.api_auth, settings.api_tokens_parameter) == ("iam", "/tokens")


def test_a_blank_parameter_name_counts_as_unset() -> None:
    assert Settings.from_env({**NEEDED, "API_TOKENS_PARAMETER": " "}).api_tokens_parameter is None
