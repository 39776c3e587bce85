"""The environment of a process that may reach nothing but stand-ins, with its made-up names."""

import os
from collections.abc import MutableMapping

ACCOUNT = "123456789012"  # moto assigns it to unknown credentials
REGION = "us-east-1"
CHANNEL_ID = "C0DEVSTACK"
TOKEN = "xoxb-devstack"  # noqa: S105 - valid for the stand-in only
TOKEN_PARAMETER = "/ec2-inspec-scan/devstack/slack-token"  # noqa: S105 - a name
API_TOKENS_PARAMETER = "/ec2-inspec-scan/devstack/api-tokens"
ASSOCIATION = "6e37940a-23ba-4ab0-9b96-5d0a1a05464f"


def isolate(env: MutableMapping[str, str] = os.environ) -> None:
    """Replace every AWS profile, key and endpoint by made-up credentials.

    So real credentials never reach a stand-in, and no mistake reaches a real account. Some
    libraries also fail at import if the profile does not exist.
    """
    for name in [name for name in env if name.startswith("AWS_")]:
        del env[name]
    env.update(
        {
            "AWS_ACCESS_KEY_ID": "devstack",
            "AWS_SECRET_ACCESS_KEY": "devstack",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    )


def build_settings(
    *,
    aws_url: str,
    slack_url: str,
    findings_table: str,
    nodes_table: str,
    ledger_table: str,
    reports_bucket: str,
) -> dict[str, str]:
    """Return the settings that point app.py at the stand-ins."""
    return {
        "AWS_ENDPOINT_URL": aws_url,
        "FINDINGS_TABLE": findings_table,
        "NODES_TABLE": nodes_table,
        "LEDGER_TABLE": ledger_table,
        "REPORTS_BUCKET": reports_bucket,
        "SLACK_CHANNEL": CHANNEL_ID,
        "SLACK_TOKEN_PARAMETER": TOKEN_PARAMETER,
        "SLACK_BASE_URL": slack_url,
        "API_TOKENS_PARAMETER": API_TOKENS_PARAMETER,
        "STAGE": "devstack",
    }
