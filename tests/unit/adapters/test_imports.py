"""Adapters import only what a cold start needs."""

import subprocess
import sys

import pytest


def list_modules_after(statement: str) -> set[str]:
    """Lists the modules that a fresh interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    result = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(result.stdout.splitlines())


@pytest.mark.parametrize(
    "statement",
    [
        "import chalicelib.adapters.slack",
        "import chalicelib.adapters.slack as s; s.slack_channel(str, 'C0', 'https://slack.com/')",
    ],
)
def test_slack_sdk_is_not_imported_before_the_first_post(statement: str) -> None:
    loaded = list_modules_after(statement)

    assert "chalicelib.adapters.slack" in loaded
    assert "slack_sdk" not in loaded


def test_the_aws_adapters_take_their_client_and_do_not_import_boto3() -> None:
    loaded = list_modules_after("import chalicelib.adapters.s3, chalicelib.adapters.ssm")

    assert "botocore" in loaded
    assert "boto3" not in loaded
