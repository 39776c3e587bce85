"""What slack_sdk raises, in the domain's words: by code, never by message text."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError, URLError

from chalicelib.adapters.slack.codes import ADDRESS, MEND, PASSING, REFUSED, UNKNOWN
from chalicelib.domain.errors import DeliveryError, MessageRefused

if TYPE_CHECKING:
    from slack_sdk.web import SlackResponse

UNREADABLE: Final = "unreadable_answer"
_OK: Final = 200
_PASSING_STATUS: Final = {408, 429}
_SERVER_ERROR: Final = 500
# What an error code looks like; slack_sdk puts prose in its place where the answer is no JSON
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
# Characters of Slack's own remarks on a refused form that a hint quotes
_REMARKS: Final = 300


@contextmanager
def delivery_errors() -> Iterator[None]:
    """Raise what slack_sdk raises as `DeliveryError` or `MessageRefused`.

    Without their cause: the texts of slack_sdk and urllib quote addresses and
    answers, and the address of an upload is a secret.
    """
    # Only a client can raise these, so slack_sdk is imported by now
    from slack_sdk.errors import SlackApiError, SlackClientError  # noqa: PLC0415

    try:
        yield
    except SlackApiError as error:
        raise _answered(error.response) from None
    except HTTPError as error:
        # The upload's: it is no API call. The next attempt gets another address.
        error.close()
        raise DeliveryError(f"upload_http_{error.code}", retryable=True) from None
    except OSError as error:
        raise DeliveryError(_connection(error), retryable=True) from None
    except (HTTPException, ValueError, LookupError, SlackClientError):
        # No HTTP, no JSON, no text in a charset that Python knows
        raise DeliveryError(UNREADABLE, retryable=True) from None


def _answered(response: "SlackResponse") -> DeliveryError:
    if response.status_code != _OK:
        return _status(response.status_code)
    code = str(response.get("error"))
    if code in REFUSED:
        return MessageRefused(code, _remarks(response))
    if code in MEND:
        return DeliveryError(code, retryable=False, hint=MEND[code])
    if code in PASSING:
        return DeliveryError(code, retryable=True)
    if _CODE.fullmatch(code):
        # Not known, so not given up: a message too many is better than one too few
        return DeliveryError(code, retryable=True, hint=UNKNOWN)
    return DeliveryError(UNREADABLE, retryable=True, hint=ADDRESS)


def _status(status: int) -> DeliveryError:
    passing = status in _PASSING_STATUS or status >= _SERVER_ERROR
    return DeliveryError(f"http_{status}", retryable=True, hint="" if passing else ADDRESS)


def _remarks(response: "SlackResponse") -> str:
    """What Slack says of the form, such as `must be less than 151 characters […/blocks/0…]`."""
    metadata = response.get("response_metadata") or {}
    return "; ".join(metadata.get("messages", ()))[:_REMARKS]


def _connection(error: OSError) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return "timeout" if isinstance(reason, TimeoutError) else "unreachable"
