"""A client of the served API, over real HTTP, with tokens of both roles."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import AccessToken, Role, hash_token
from devstack.environment import API_TOKENS_PARAMETER
from devstack.local_app import serve_api
from tests.functional.service import Service

TOKENS = {Role.OPERATOR: "eis_operator", Role.VIEWER: "eis_viewer"}


@dataclass(frozen=True)
class Response:
    """A response of the API."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Pointer and code of each error in a problem."""
        return [(each["pointer"], each["code"]) for each in self.json.get("errors", [])]


@dataclass
class ApiClient:
    """Calls the API, as an operator by default."""

    url: str
    headers: dict[str, str] = field(
        default_factory=lambda: {"Authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}
    )

    def as_viewer(self) -> "ApiClient":
        return ApiClient(self.url, {"Authorization": f"Bearer {TOKENS[Role.VIEWER]}"})

    def anonymous(self) -> "ApiClient":
        return ApiClient(self.url, {})

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {**self.headers, **(headers or {})}
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        address = urlsplit(self.url)
        with closing(HTTPConnection(address.hostname or "", address.port, timeout=20)) as line:
            line.request(method, path, content, sent)
            response = line.getresponse()
            received = {name.lower(): value for name, value in response.getheaders()}
            return Response(response.status, received, response.read())

    def get(self, path: str, **headers: str) -> Response:
        return self.call("GET", path, headers=headers)


@contextmanager
def open_api(service: Service) -> Iterator[ApiClient]:
    """Serves the API of this service, with a token of each role."""
    now = datetime.now(UTC)
    tokens = tuple(
        AccessToken(f"{role}-token", role, hash_token(text), now) for role, text in TOKENS.items()
    )
    ParameterTokens(service.ssm, API_TOKENS_PARAMETER).change(lambda _: tokens)
    with serve_api() as url:
        yield ApiClient(url)
