"""Cursors: opaque to callers, and good only for the list that they came from."""

import base64
import binascii
import hashlib
from typing import Annotated

import msgspec

from chalicelib.domain.errors import BadRequest, FieldFault

_DIGEST_BYTES = 9


class _Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    digest: str
    # a key of one of our tables: no made up one may be longer than DynamoDB takes
    after: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


def make_cursor(route: str, query: msgspec.Struct, after: str | None) -> str | None:
    """The cursor of what comes behind `after` in this list; None at the end."""
    if after is None:
        return None
    position = msgspec.json.encode(_Position(_digest(route, query), after))
    return base64.urlsafe_b64encode(position).decode().rstrip("=")


def read_cursor(route: str, query: msgspec.Struct, cursor: str | None) -> str | None:
    """Where the list goes on; `BadRequest` for a cursor that is none, or of another list."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        position = msgspec.json.decode(content, type=_Position)
    except (binascii.Error, UnicodeError, msgspec.DecodeError) as error:
        raise _refused("This is no cursor of ours; begin without one.") from error
    if position.digest != _digest(route, query):
        raise _refused("This cursor belongs to another list or filter; begin without one.")
    return position.after


def _digest(route: str, query: msgspec.Struct) -> str:
    """What the list is of: everything but the page."""
    asked = msgspec.to_builtins(query)
    for part in ("limit", "cursor"):
        asked.pop(part, None)
    content = msgspec.json.encode([route, asked], order="sorted")
    return base64.b64encode(hashlib.sha256(content).digest()[:_DIGEST_BYTES]).decode()


def _refused(text: str) -> BadRequest:
    return BadRequest("The cursor is refused.", FieldFault("cursor", "cursor", text))
