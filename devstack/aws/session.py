"""One boto3 session that can only ever talk to a stand-in."""

import boto3

from devstack.environment import ACCOUNT, REGION

__all__ = ["ACCOUNT", "REGION", "make_session"]


def make_session() -> boto3.Session:
    """Return a session with made-up credentials in `REGION`; give each client an endpoint."""
    return boto3.Session(
        aws_access_key_id="devstack",
        aws_secret_access_key="devstack",  # noqa: S106 - made up, no AWS accepts it
        region_name=REGION,
    )
