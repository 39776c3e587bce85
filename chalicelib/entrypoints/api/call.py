"""One call to the API: the request that a handler gets, the response that it gives."""

import re
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec
from chalice.app import MultiDict, Request, Response
from msgspec import Struct, field

from chalicelib.domain.errors import BadRequest, BadSetting, FieldFault, TooLarge
from chalicelib.domain.snooze import Snooze
from chalicelib.entrypoints.api import requests
from chalicelib.usecases.context import Author, Inbox

# Bytes. A snooze needs fewer than 2,000.
LARGEST_BODY = 256 * 1024

Query = TypeVar("Query")
Body = TypeVar("Body")
Parameters = TypeVar("Parameters", bound=msgspec.Struct)
Content = TypeVar("Content", bound=requests.Body)

# Weak or strong, and without the quotes that some clients leave out.
_ETAG = re.compile(r'(?:W/)?"?([0-9]{1,9})"?')


class ApiRequest(Struct, Generic[Query, Body], frozen=True):
    """A validated request. `body` is None on routes without one.

    `role` is that of the caller's token, None if API_AUTH is iam.
    """

    inbox: Inbox
    author: Author
    role: str | None
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


def read_query(request: Request, shape: type[Parameters]) -> Parameters:
    """Validates the query parameters; `BadRequest` names the wrong ones."""
    given = request.query_params or MultiDict({})
    repeated = [name for name in given if len(given.getlist(name)) > 1]
    if repeated:
        text = "Give this parameter once."
        faults = [FieldFault(name, "repeated", text) for name in repeated]
        raise BadRequest("A query parameter is refused.", *faults)
    flat = {name: given[name] for name in given}
    try:
        # text without a UTF-8 form can be neither stored nor put into a cursor
        "".join(flat.values()).encode()
        return msgspec.convert(flat, shape, strict=False)
    except msgspec.ValidationError:
        # few requests need it
        from chalicelib.entrypoints.api import faults as all_faults  # noqa: PLC0415

        return all_faults.read_parameters(flat, shape)
    except UnicodeError as error:
        fault = FieldFault("", "text", "A query parameter holds half a surrogate pair.")
        raise BadRequest("A query parameter is refused.", fault) from error


def read_body(request: Request, shape: type[Content], inbox: Inbox) -> Content:
    """Validates the JSON body.

    Raises `TooLarge`, `BadRequest` if it is not JSON, and `RuleBroken`, which names every
    wrong field.
    """
    content = request.raw_body
    if len(content) > LARGEST_BODY:
        raise TooLarge(f"The body has {len(content):,} bytes; the limit is {LARGEST_BODY:,}.")
    try:
        return msgspec.json.decode(content, type=shape, dec_hook=requests.decode_duration)
    except msgspec.ValidationError:
        return _read_again(content, shape, inbox)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _refuse_json(error) from error


def read_caller(request: Request) -> str:
    """Returns who made an authorized request: a token's name, or an ARN if API_AUTH is iam."""
    context: dict[str, Any] = request.context
    name = (context.get("authorizer") or {}).get("principalId")
    arn = (context.get("identity") or {}).get("userArn")
    caller = name or arn
    if not isinstance(caller, str):
        raise BadSetting("API_AUTH", "a request without a caller was let in; deploy the API again")
    return caller


def read_role(request: Request) -> str | None:
    """Returns the role of the caller's token, None if the caller has none."""
    authorizer: dict[str, Any] = request.context.get("authorizer") or {}
    role = authorizer.get("role")
    return role if isinstance(role, str) else None


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


def _read_again(content: str | bytes, shape: type[Content], inbox: Inbox) -> Content:
    """Reads a body that has a wrong field, to name all of them."""
    # few requests need it
    from chalicelib.entrypoints.api import faults  # noqa: PLC0415

    try:
        given = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _refuse_json(error) from error

    def find_broken_rules(body: Content) -> list[FieldFault]:
        return body.find_broken_rules(inbox.clock(), inbox.limits)

    return faults.read_json(given, shape, find_broken_rules)


def _refuse_json(error: Exception) -> BadRequest:
    return BadRequest("The body is not JSON.", FieldFault("", "json", f"{error}."))
