"""Requests signed with AWS keys, as callers of an API with API_AUTH=iam send them."""

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from devstack.environment import REGION


def signed(
    method: str, address: str, keys: tuple[str, str], body: bytes | None = None
) -> dict[str, str]:
    """The headers of a signed request. `address` is the host and the path with its stage."""
    key, secret = keys
    host = address.partition("/")[0]
    request = AWSRequest(method, f"http://{address}", headers={"Host": host}, data=body)
    SigV4Auth(Credentials(key, secret), "execute-api", REGION).add_auth(request)
    return dict(request.headers.items())
