"""slack_sdk's client as we want it: silent, bounded in time, with a token that is one."""

import logging
import math
import re
from collections.abc import Callable
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.http_retry import HttpResponse, RetryHandler, RetryState

from chalicelib.domain.errors import DeliveryError, ServiceError

TOO_MANY_REQUESTS: Final = 429
# Visible ASCII: what an HTTP header takes. http.client would quote any other token in its error.
_TOKEN = re.compile(r"[!-~]+")


class ShortWait(RetryHandler):
    """Tries once more after HTTP 429, if Slack asks for no more than `longest` seconds.

    Nothing else is tried again: after a lost answer a second post may be a double.
    """

    def __init__(self, longest: float, sleep: Callable[[float], None]) -> None:
        super().__init__(max_retry_count=1)
        self._longest = longest
        self._sleep = sleep

    def _can_retry(self, *, response: HttpResponse | None = None, **_: Any) -> bool:
        return (
            response is not None
            and response.status_code == TOO_MANY_REQUESTS
            and _retry_after(response) <= self._longest
        )

    def prepare_for_next_attempt(
        self, *, state: RetryState, response: HttpResponse | None = None, **_: Any
    ) -> None:
        """Wait as long as Slack asks."""
        if response is not None:
            self._sleep(_retry_after(response))
        state.next_attempt_requested = True
        state.increment_current_attempt()


def web_client(
    token: Callable[[], str],
    base_url: str,
    timeout: int,
    longest_wait: float,
    sleep: Callable[[float], None],
) -> WebClient:
    """A client for a token that is read now.

    A token that cannot be read, or is none, is a `DeliveryError`: the message
    waits and the pass goes on.
    """
    return WebClient(
        token=_read(token),
        base_url=base_url,
        timeout=timeout,
        logger=_silence(),
        retry_handlers=[ShortWait(longest_wait, sleep)],
    )


def _read(token: Callable[[], str]) -> str:
    try:
        value = token().strip()
    except ServiceError as error:
        hint = "" if error.retryable else str(error)
        raise DeliveryError("token_unreadable", retryable=error.retryable, hint=hint) from error
    if not _TOKEN.fullmatch(value):
        hint = "put one bot token, xoxb-…, into the parameter that SLACK_TOKEN_PARAMETER names"
        raise DeliveryError("token_malformed", retryable=False, hint=hint)
    return value


def _silence() -> logging.Logger:
    """A logger that keeps everything to itself: slack_sdk logs upload URLs and whole answers."""
    logger = logging.getLogger(f"{__name__}.silence")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


def _retry_after(response: HttpResponse) -> float:
    """Seconds; infinite where Slack does not give any."""
    headers = {name.casefold(): value for name, value in response.headers.items()}
    value = "".join(headers.get("retry-after", ""))
    return int(value) if value.isdecimal() else math.inf
