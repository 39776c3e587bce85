"""The tokens of the local API, in the same store as those of a deployed stage."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from chalicelib.adapters.access_tokens import ParameterTokens
from chalicelib.domain.access import Role
from devstack.aws.session import local_session
from infra.token_commands import add_token


@contextmanager
def token_store(env: Mapping[str, str]) -> Iterator[ParameterTokens]:
    """The store that the settings `env` name, at the stand-in."""
    with closing(local_session().client("ssm", endpoint_url=env["AWS_ENDPOINT_URL"])) as ssm:
        yield ParameterTokens(ssm, env["API_TOKENS_PARAMETER"])


def made(env: Mapping[str, str], **roles: Role) -> dict[str, str]:
    """Make a token for each name; returns them by name, they are nowhere else."""
    now = datetime.now(UTC)
    with token_store(env) as store:
        return {name: add_token(store, name, role, now) for name, role in roles.items()}
