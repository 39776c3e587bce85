"""slack_sdk as it is used here: silent, limited in time, its errors in the domain's words."""

import logging
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError, URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry import HttpResponse, RetryHandler, RetryState

from chalicelib.adapters.slack.codes import ADDRESS, UNREADABLE, translate_code
from chalicelib.domain.errors import DeliveryError

if TYPE_CHECKING:
    from slack_sdk.web import SlackResponse

TOO_MANY_REQUESTS: Final = 429
_OK: Final = 200
_PASSING_STATUS: Final = {408, TOO_MANY_REQUESTS}
_SERVER_ERROR: Final = 500
# The form of an error code. If the answer is not JSON, slack_sdk puts prose in its place.
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
# Characters of Slack's remarks on a refused message or file that a hint quotes.
_REMARKS: Final = 300


def web_client(
    token: str,
    base_url: str,
    timeout: int,
    longest_wait: float,
    sleep: Callable[[float], None],
) -> WebClient:
    """Builds a client that waits and logs as this service needs it."""
    return WebClient(
        token=token,
        base_url=base_url,
        timeout=timeout,
        logger=_silent_logger(),
        retry_handlers=[ShortWait(longest_wait, sleep)],
    )


class ShortWait(RetryHandler):
    """Retries once after HTTP 429, if Slack asks to wait no longer than `longest` seconds.

    Nothing else is retried: after a lost answer a second post may be a duplicate.
    """

    def __init__(self, longest: float, sleep: Callable[[float], None]) -> None:
        super().__init__(max_retry_count=1)
        self._longest = longest
        self._sleep = sleep

    def _can_retry(self, *, response: HttpResponse | None = None, **_: Any) -> bool:
        return (
            response is not None
            and response.status_code == TOO_MANY_REQUESTS
            and _parse_retry_after(response) <= self._longest
        )

    def prepare_for_next_attempt(
        self, *, state: RetryState, response: HttpResponse | None = None, **_: Any
    ) -> None:
        """Waits as long as Slack asks."""
        if response is not None:
            self._sleep(_parse_retry_after(response))
        state.next_attempt_requested = True
        state.increment_current_attempt()


def _silent_logger() -> logging.Logger:
    """Returns a logger that drops everything: slack_sdk logs upload URLs and whole answers."""
    logger = logging.getLogger(f"{__name__}.silence")
    logger.setLevel(logging.CRITICAL + 1)
    return logger


def _parse_retry_after(response: HttpResponse) -> float:
    """Returns seconds; infinity if Slack names none."""
    headers = {name.casefold(): value for name, value in response.headers.items()}
    value = "".join(headers.get("retry-after", ""))
    return int(value) if value.isdecimal() else math.inf


@contextmanager
def translate_errors(*, in_thread: bool, of_file: bool) -> Iterator[None]:
    """Raises errors of slack_sdk as `DeliveryError`, by code and by what the call was for.

    They come without a cause: slack_sdk and urllib quote addresses and answers,
    and the address of an upload is a secret.
    """
    try:
        yield
    except SlackApiError as error:
        raise _translate(error.response, in_thread=in_thread, of_file=of_file) from None
    except HTTPError as error:
        # of the upload, which is not an API call; the next attempt gets another address
        error.close()
        raise DeliveryError(f"upload_http_{error.code}", retryable=True) from None
    except OSError as error:
        raise DeliveryError(_classify_connection(error), retryable=True) from None
    except (HTTPException, ValueError, LookupError, SlackClientError):
        # not HTTP, not JSON, or text in an unknown charset
        raise DeliveryError(UNREADABLE, retryable=True) from None


def _translate(response: "SlackResponse", *, in_thread: bool, of_file: bool) -> DeliveryError:
    if response.status_code != _OK:
        return _translate_status(response.status_code)
    code = str(response.get("error"))
    if not _CODE.fullmatch(code):
        return DeliveryError(UNREADABLE, retryable=True, hint=ADDRESS)
    remarks = _quote_remarks(response)
    return translate_code(code, remarks, in_thread=in_thread, of_file=of_file)


def _translate_status(status: int) -> DeliveryError:
    passing = status in _PASSING_STATUS or status >= _SERVER_ERROR
    return DeliveryError(f"http_{status}", retryable=True, hint="" if passing else ADDRESS)


def _quote_remarks(response: "SlackResponse") -> str:
    """Quotes Slack's remarks, such as `must be less than 151 characters […/blocks/0…]`."""
    metadata = response.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    texts = messages if isinstance(messages, list) else []
    return "; ".join(each for each in texts if isinstance(each, str))[:_REMARKS]


def _classify_connection(error: OSError) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return "timeout" if isinstance(reason, TimeoutError) else "unreachable"
