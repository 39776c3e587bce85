"""Requests signed with AWS keys, as callers of an API with API_AUTH=iam send them."""

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from devstack.names import REGION


def signed(method: str, host: str, path: str, key: str, secret: str) -> dict[str, str]:
    """The headers of a signed request without a body; `path` is the whole one, stage included."""
    request = AWSRequest(method, f"http://{host}{path}", headers={"Host": host})
    SigV4Auth(Credentials(key, secret), "execute-api", REGION).add_auth(request)
    return dict(request.headers.items())
