"""The triggers of the functions. Other systems depend on their names, handlers and patterns."""

import os
import subprocess
import sys

import pytest

import app


def list_sources() -> dict[str, object]:
    return {source.name: source for source in app.app.event_sources}


def test_the_three_functions_have_their_fixed_names_and_handlers() -> None:
    handlers = {source.name: source.handler_string for source in app.app.event_sources}
    assert handlers == {
        "ec2-inspec-scan": "app.ec2_inspec_scan",
        "monthly-alert": "app.monthly_alert",
        "reconcile": "app.reconcile",
    }


def test_only_finished_executions_of_our_documents_invoke_the_scan() -> None:
    (scan,) = (each for each in app.app.event_sources if each.name == "ec2-inspec-scan")
    assert scan.event_pattern == {  # type: ignore[attr-defined]
        "source": ["aws.ssm"],
        "detail-type": ["EC2 State Manager Association State Change"],
        "detail": {"document-name": ["AWS-RunInspecChecks"], "status": ["Success", "Failed"]},
    }


def test_the_schedules_are_the_documented_ones() -> None:
    monthly, reconcile = (list_sources()[name] for name in ("monthly-alert", "reconcile"))
    assert monthly.schedule_expression == "cron(0 8 1 * ? *)"  # type: ignore[attr-defined]
    assert reconcile.schedule_expression.to_string() == "rate(15 minutes)"  # type: ignore[attr-defined]


def test_importing_the_app_reads_no_settings_and_opens_no_client() -> None:
    code = (
        "import sys, app; "
        "print(sorted({'slack_sdk', 'moto', 'devstack'} & set(sys.modules)), "
        "app.handlers.bootstrap.runtime.cache_info().currsize)"
    )
    env = {"PATH": os.environ["PATH"]}
    result = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True
    )

    assert result.stdout.split() == ["[]", "0"]


@pytest.mark.parametrize(
    ("auth", "shown"), [("iam", "IAMAuthorizer 0"), ("token", "ChaliceAuthorizer 1")]
)
def test_api_auth_chooses_between_iam_and_the_authorizer_function(auth: str, shown: str) -> None:
    code = "import app; print(type(app.authorizer).__name__, len(app.app.builtin_auth_handlers))"
    env = {"PATH": os.environ["PATH"], "API_AUTH": auth}
    result = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=True
    )

    assert result.stdout.strip() == shown
