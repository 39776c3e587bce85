"""One call to the API: what a handler gets, what it gives back, and how both are read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from chalice.app import MultiDict, Request, Response

from chalicelib.domain.errors import BadRequest, FieldFault, RequestError, RuleBroken, TooLarge
from chalicelib.entrypoints import api_bodies as bodies
from chalicelib.usecases.inbox import Author, Inbox

# Bytes; a snooze needs less than 2,000.
LARGEST_BODY = 256 * 1024

T = TypeVar("T")

_PLACE = re.compile(r" - at `(?:key in )?\$(?P<path>.*)`$", re.DOTALL)
_FIELD = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]*)`")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request that has been read: its parameters and its body have their shapes."""

    inbox: Inbox
    author: Author
    path: Mapping[str, str]
    query: Any
    body: Any
    if_match: str | None


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """What a handler answers; a body that is text is sent as it is."""

    body: msgspec.Struct | str | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer as Chalice sends it."""
        headers: dict[str, str | list[str]] = dict(self.headers)
        if self.body is None or isinstance(self.body, str):
            return Response(self.body or "", headers, self.status)
        headers.setdefault("Content-Type", "application/json")
        return Response(msgspec.json.encode(self.body).decode(), headers, self.status)


def read_query(request: Request, shape: type[T]) -> T:
    """The query parameters in their shape; `BadRequest` names the one that is wrong."""
    given = request.query_params or MultiDict({})
    for name in given:
        if len(given.getlist(name)) > 1:
            fault = FieldFault(name, "repeated", "Give this parameter once.")
            raise BadRequest("A query parameter is refused.", fault)
    flat = {name: given[name] for name in given}
    try:
        # what has no UTF-8 can neither be stored nor be in a cursor
        "".join(flat.values()).encode()
        return msgspec.convert(flat, shape, strict=False)
    except msgspec.ValidationError as error:
        fault = _fault(str(error), "/")
        named = FieldFault(fault.pointer.lstrip("/"), fault.code, fault.message)
        raise BadRequest("A query parameter is refused.", named) from error
    except UnicodeError as error:
        fault = FieldFault("", "text", "A query parameter holds half a surrogate pair.")
        raise BadRequest("A query parameter is refused.", fault) from error


def read_body(request: Request, shape: type[T]) -> T:
    """The body in its shape.

    `TooLarge`, `BadRequest` for what is no JSON, `RuleBroken` naming the first
    field that is wrong: msgspec stops there and names it in its text only.
    """
    content = request.raw_body
    if len(content) > LARGEST_BODY:
        raise TooLarge(f"The body has {len(content):,} bytes; {LARGEST_BODY:,} are read at most.")
    try:
        return msgspec.json.decode(content, type=shape, dec_hook=bodies.decode_duration)
    except msgspec.ValidationError as error:
        raise _refused(RuleBroken, error) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        fault = FieldFault("", "json", str(error))
        raise BadRequest("The body is no JSON.", fault) from error


def _refused(kind: type[RequestError], error: msgspec.ValidationError) -> RequestError:
    return kind("A field of the body is refused; nothing was written.", _fault(str(error), "/"))


def _fault(text: str, separator: str) -> FieldFault:
    """The place that msgspec's text names, as a JSON pointer, and what it says of it."""
    place = _PLACE.search(text)
    path = place["path"] if place else ""
    named = _FIELD.search(text)
    parts = [part for part in re.split(r"[.\[\]]+", path) if part and part != "..."]
    if named:
        parts.append(named["name"])
    pointer = "".join(f"{separator}{part.replace('~', '~0').replace('/', '~1')}" for part in parts)
    code = "unknown" if "unknown field" in text else "missing" if named else "invalid"
    return FieldFault(pointer, code, _PLACE.sub("", text))
