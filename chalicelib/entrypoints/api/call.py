"""One call to the API: the request that a handler gets, the response that it gives."""

import re
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec
from chalice.app import MultiDict, Request, Response
from msgspec import Struct, field

from chalicelib.domain.errors import (
    BadRequest,
    BadSetting,
    FieldFault,
    RequestError,
    RuleBroken,
    TooLarge,
)
from chalicelib.domain.snooze import Snooze
from chalicelib.entrypoints.api.requests import decode_duration
from chalicelib.usecases.context import Author, Inbox

# Bytes. A snooze needs fewer than 2,000.
LARGEST_BODY = 256 * 1024

Query = TypeVar("Query")
Body = TypeVar("Body")
Shape = TypeVar("Shape")

# msgspec reports where a value is wrong only in the text of its error. This is the one place that
# reads a library's message (decision 34); tests/functional/api/test_refusals.py guards the text.
_PLACE = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`$", re.DOTALL)
_FIELD = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]*)`")
# Weak or strong, and without the quotes that some clients leave out.
_ETAG = re.compile(r'(?:W/)?"?([0-9]{1,9})"?')


class ApiRequest(Struct, Generic[Query, Body], frozen=True):
    """A validated request. `body` is None on routes without one."""

    inbox: Inbox
    author: Author
    path: Mapping[str, str]
    query: Query
    body: Body
    if_match: str | None


class ApiResponse(Struct, frozen=True):
    """A response. A body that is text is sent unchanged; a struct is sent as JSON."""

    body: msgspec.Struct | str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_chalice(self) -> Response:
        """Converts to Chalice's response."""
        headers: dict[str, str | list[str]] = dict(self.headers)
        if self.body is None or isinstance(self.body, str):
            return Response(self.body or "", headers, self.status)
        headers.setdefault("Content-Type", "application/json")
        return Response(msgspec.json.encode(self.body).decode(), headers, self.status)


def read_query(request: Request, shape: type[Shape]) -> Shape:
    """Validates the query parameters; `BadRequest` names the wrong one."""
    given = request.query_params or MultiDict({})
    for name in given:
        if len(given.getlist(name)) > 1:
            fault = FieldFault(name, "repeated", "Give this parameter once.")
            raise BadRequest("A query parameter is refused.", fault)
    flat = {name: given[name] for name in given}
    try:
        # text without a UTF-8 form can be neither stored nor put into a cursor
        "".join(flat.values()).encode()
        return msgspec.convert(flat, shape, strict=False)
    except msgspec.ValidationError as error:
        fault = _locate_fault(error)
        named = FieldFault(fault.pointer.lstrip("/"), fault.code, fault.message)
        raise BadRequest("A query parameter is refused.", named) from error
    except UnicodeError as error:
        fault = FieldFault("", "text", "A query parameter holds half a surrogate pair.")
        raise BadRequest("A query parameter is refused.", fault) from error


def read_body(request: Request, shape: type[Shape]) -> Shape:
    """Validates the JSON body.

    Raises `TooLarge`, `BadRequest` if it is not JSON, and `RuleBroken` for the
    first wrong field: msgspec stops there.
    """
    content = request.raw_body
    if len(content) > LARGEST_BODY:
        raise TooLarge(f"The body has {len(content):,} bytes; the limit is {LARGEST_BODY:,}.")
    try:
        return msgspec.json.decode(content, type=shape, dec_hook=decode_duration)
    except msgspec.ValidationError as error:
        raise _refuse_body(RuleBroken, error) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        fault = FieldFault("", "json", str(error))
        raise BadRequest("The body is not JSON.", fault) from error


def read_caller(request: Request) -> str:
    """Returns who made an authorized request: a token's name, or an ARN if API_AUTH is iam."""
    context: dict[str, Any] = request.context
    name = (context.get("authorizer") or {}).get("principalId")
    arn = (context.get("identity") or {}).get("userArn")
    caller = name or arn
    if not isinstance(caller, str):
        raise BadSetting("API_AUTH", "a request without a caller was let in; deploy the API again")
    return caller


def make_etag(snooze: Snooze) -> str:
    """Returns the ETag of a snooze: its version."""
    return f'"{snooze.version}"'


def parse_if_match(if_match: str | None) -> frozenset[int] | None:
    """Returns the versions that If-Match names, None if any version will do."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = [_ETAG.fullmatch(tag.strip()) for tag in if_match.split(",")]
    if not all(tags):
        text = 'Give the ETag of the snooze, such as "3", or *.'
        raise BadRequest("A header is refused.", FieldFault("If-Match", "etag", text))
    return frozenset(int(tag[1]) for tag in tags if tag)


def _refuse_body(kind: type[RequestError], error: msgspec.ValidationError) -> RequestError:
    return kind("A field of the body is refused; nothing was written.", _locate_fault(error))


def _locate_fault(error: msgspec.ValidationError) -> FieldFault:
    """Turns msgspec's error into a JSON pointer, a code and a sentence."""
    text = str(error)
    place = _PLACE.search(text)
    path = place["path"] if place else ""
    named = _FIELD.search(text)
    parts = [part for part in re.split(r"[.\[\]]+", path) if part and part != "..."]
    if named:
        parts.append(named["name"])
    pointer = "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)
    code = "unknown" if "unknown field" in text else "missing" if named else "invalid"
    return FieldFault(pointer, code, _PLACE.sub("", text))
