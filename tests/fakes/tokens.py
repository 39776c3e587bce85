"""The API tokens in memory, and the parameter that holds them."""

from collections.abc import Callable
from typing import Any

from chalicelib.adapters.access_tokens import MAX_AGE, decode_list, encode_list
from chalicelib.domain.access import AccessToken, TokenList, apply_change, compare_tokens


class MemoryTokens:
    """A token store. Its content is always fresh."""

    def __init__(self, *tokens: AccessToken) -> None:
        self._text = encode_list(TokenList(tokens))

    def all(self, max_age: float = MAX_AGE) -> tuple[AccessToken, ...]:  # noqa: ARG002 - same signature as the adapter
        """Returns the stored tokens."""
        return decode_list(self._text).tokens

    def change(
        self, alter: Callable[[tuple[AccessToken, ...]], tuple[AccessToken, ...]]
    ) -> tuple[AccessToken, ...]:
        """Alters the stored tokens; `RuleBroken` if they do not fit into a parameter."""
        known = TokenList(self.all())
        changed = apply_change(known, compare_tokens(known.tokens, alter(known.tokens)))
        self._text = encode_list(changed)
        return changed.tokens


class MemoryParameter:
    """An SSM client with one parameter, which keeps every version.

    `before_call` runs before each call, so that writers can be interleaved.
    """

    class exceptions:  # noqa: N801 - as a client has them
        """The errors that a client raises."""

        class ParameterNotFound(Exception):
            """No parameter, or no version, has this name."""

    def __init__(self) -> None:
        self.versions: list[str] = []
        self.before_call: Callable[[], None] = lambda: None

    def get_parameter(self, *, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - SSM's names
        """Returns the newest version, or that after the colon of the name."""
        self.before_call()
        number = int(Name.partition(":")[2] or len(self.versions))
        if not 0 < number <= len(self.versions):
            raise self.exceptions.ParameterNotFound
        return {"Parameter": {"Version": number, "Value": self.versions[number - 1]}}

    def put_parameter(self, *, Value: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - SSM's names
        """Writes the next version."""
        self.before_call()
        self.versions.append(Value)
        return {"Version": len(self.versions)}
