"""Pages of at most 50 rows, joined by tokens that fit only the question they came from."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from devstack.aws.compliance.errors import broken, refused

MAX_RESULTS = 50


def page(
    rows: Sequence[Mapping[str, Any]], request: Mapping[str, Any], name: str
) -> dict[str, Any]:
    """Return the page that `request` asks for as `{name: rows}`, `NextToken` when more follow.

    A token holds a position, so rows that change between two pages may be missed or seen
    twice, as on the real service.
    """
    size = request.get("MaxResults", MAX_RESULTS)
    if not 1 <= size <= MAX_RESULTS:
        raise broken(size, "maxResults", f"Member must be between 1 and {MAX_RESULTS}")
    question = _fingerprint(request)
    start = _position(request["NextToken"], question) if "NextToken" in request else 0
    answer: dict[str, Any] = {name: list(rows[start : start + size])}
    if start + size < len(rows):
        answer["NextToken"] = _token(question, start + size)
    return answer


def _fingerprint(request: Mapping[str, Any]) -> str:
    asked = {key: request[key] for key in request if key not in {"NextToken", "MaxResults"}}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def _token(question: str, position: int) -> str:
    return base64.urlsafe_b64encode(f"{question}.{position}".encode()).decode()


def _position(token: str, question: str) -> int:
    try:
        asked, _, position = base64.urlsafe_b64decode(token).decode().partition(".")
        start = int(position)
    except ValueError as error:
        raise refused("InvalidNextToken", "the token is not one of ours") from error
    if asked != question:
        raise refused("InvalidNextToken", "the token belongs to another request")
    return start
