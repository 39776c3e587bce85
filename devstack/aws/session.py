"""The boto3 session of the stand-ins."""

import boto3

from devstack.environment import REGION


def make_session() -> boto3.Session:
    """Return a session with made-up credentials in `REGION`. Give each client an endpoint."""
    return boto3.Session(
        aws_access_key_id="devstack",
        aws_secret_access_key="devstack",  # noqa: S106 - made up, no AWS accepts it
        region_name=REGION,
    )
