"""Pages of lists: opaque cursors, and the link to the next page.

A cursor holds only for the list and filter that it came from.
"""

import base64
import binascii
import hashlib
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from chalicelib.domain.errors import BadRequest, FieldFault
from chalicelib.entrypoints.api.call import ApiResponse

_DIGEST_BYTES = 9


class _Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    digest: str
    # a key of one of our tables; DynamoDB takes no longer one
    after: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


def make_cursor(route: str, query: msgspec.Struct, after: str | None) -> str | None:
    """Returns the cursor of the page after the key `after`; None at the end."""
    if after is None:
        return None
    position = msgspec.json.encode(_Position(_digest(route, query), after))
    return base64.urlsafe_b64encode(position).decode().rstrip("=")


def read_cursor(route: str, query: msgspec.Struct, cursor: str | None) -> str | None:
    """Returns the key to continue after; `BadRequest` for a malformed or foreign cursor."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        position = msgspec.json.decode(content, type=_Position)
    except (binascii.Error, UnicodeError, msgspec.DecodeError) as error:
        raise _refuse("This is not a cursor of this API; begin without one.") from error
    if position.digest != _digest(route, query):
        raise _refuse("This cursor belongs to another list or filter; begin without one.")
    return position.after


def paginate(body: msgspec.Struct, query: msgspec.Struct, following: str | None) -> ApiResponse:
    """Builds a page. Its link is relative, so it holds behind any host and stage."""
    if following is None:
        return ApiResponse(body)
    asked, usual = msgspec.to_builtins(query), msgspec.to_builtins(type(query)())
    changed = {name: value for name, value in asked.items() if value != usual.get(name)}
    parameters = urlencode({**changed, "cursor": following})
    return ApiResponse(body, headers={"Link": f'<?{parameters}>; rel="next"'})


def _digest(route: str, query: msgspec.Struct) -> str:
    """Identifies a list: its route and all its parameters but the page."""
    asked = msgspec.to_builtins(query)
    for part in ("limit", "cursor"):
        asked.pop(part, None)
    content = msgspec.json.encode([route, asked], order="sorted")
    return base64.b64encode(hashlib.sha256(content).digest()[:_DIGEST_BYTES]).decode()


def _refuse(text: str) -> BadRequest:
    return BadRequest("The cursor is refused.", FieldFault("cursor", "cursor", text))
