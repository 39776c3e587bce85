"""The API tokens in memory."""

from chalicelib.adapters.access_tokens import MAX_AGE, decode_tokens, encode_tokens
from chalicelib.domain.access import AccessToken


class MemoryTokens:
    """A token store. Its content is always fresh."""

    def __init__(self, *tokens: AccessToken) -> None:
        self._text = encode_tokens(tokens)

    def all(self, max_age: float = MAX_AGE) -> tuple[AccessToken, ...]:  # noqa: ARG002 - same signature as the adapter
        """Returns the stored tokens."""
        return decode_tokens(self._text)

    def save(self, tokens: tuple[AccessToken, ...]) -> None:
        """Replaces the stored tokens; `RuleBroken` if they do not fit into a parameter."""
        self._text = encode_tokens(tokens)
