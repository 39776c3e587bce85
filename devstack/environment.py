"""The environment of a process that must only ever talk to stand-ins."""

import os
from collections.abc import MutableMapping

from devstack.names import API_TOKENS_PARAMETER, CHANNEL_ID, REGION, TOKEN_PARAMETER


def isolate(env: MutableMapping[str, str] = os.environ) -> None:
    """Take every AWS profile, key and endpoint out, and put made-up credentials in.

    A stand-in must not be reached with real credentials, nor a real account by
    mistake; some libraries fail at import on a profile that does not exist.
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


def settings_env(
    *,
    aws_url: str,
    slack_url: str,
    findings_table: str,
    nodes_table: str,
    ledger_table: str,
    reports_bucket: str,
) -> dict[str, str]:
    """The settings that let the handlers work on the stand-ins."""
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
