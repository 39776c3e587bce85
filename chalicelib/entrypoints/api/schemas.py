"""The schemas and the examples of the specification.

Tools read less than msgspec writes, so some schemas are mended. Each example in examples.json is
accepted as it stands, or was produced: `python -m tests.functional.api.renew_examples`.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec import structs

from chalicelib.entrypoints.api.requests import describe_duration

REF = "#/components/schemas/{name}"
Json = dict[str, Any]


class Examples(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Examples: of each body some with a name, one of each response, one of each problem."""

    ids: Mapping[str, str]
    bodies: Mapping[str, Mapping[str, Json]]
    responses: Mapping[str, Json]
    csv: str
    problems: Mapping[str, Json]


def read_examples() -> Examples:
    """Reads the examples; bodies and responses have the names of their types."""
    return msgspec.json.decode(
        Path(__file__).with_name("examples.json").read_bytes(), type=Examples
    )


def build_schemas(types: Iterable[type[msgspec.Struct]]) -> dict[str, Json]:
    """Builds the schemas of these types and of all that they contain, by name."""
    kinds = list(dict.fromkeys(types))
    _, schemas = msgspec.json.schema_components(
        kinds, ref_template=REF, schema_hook=describe_duration
    )
    for kind in kinds:
        _complete(kind, schemas)
    mended: dict[str, Json] = {name: _mend(schema) for name, schema in schemas.items()}
    return mended


def list_parameters(
    kind: type[msgspec.Struct], components: Mapping[str, Json]
) -> Iterator[tuple[str, Json]]:
    """Yields the name and the schema of each parameter of a query.

    A schema that is not among the components stands in its place.
    """
    schemas = build_schemas([kind])
    for name, schema in schemas[kind.__name__]["properties"].items():
        referred = schema.get("$ref", "").rsplit("/", 1)[-1]
        is_own = referred and referred not in components
        yield name, schemas[referred] if is_own else schema


def _complete(kind: type[msgspec.Struct], schemas: dict[str, Json]) -> None:
    """Adds what msgspec leaves out: the format of times, and the order of enums.

    msgspec gives no format to a time that may have no zone. Ours have one.
    """
    properties = schemas[kind.__name__]["properties"]
    for field in structs.fields(kind):
        parts = [each for each in _list_parts(field.type) if isinstance(each, type)]
        schema = properties[field.encode_name]
        for each in schema.get("anyOf", [schema]) if datetime in parts else ():
            each.update({"format": "date-time"} if each.get("type") == "string" else {})
        for part in parts:
            if issubclass(part, StrEnum):
                schemas[part.__name__]["enum"] = [each.value for each in part]
            elif issubclass(part, msgspec.Struct):
                _complete(part, schemas)


def _list_parts(annotation: Any) -> Iterator[Any]:
    """Yields a type and, at any depth, its arguments: the types of a union, of a list."""
    yield annotation
    for each in get_args(annotation):
        yield from _list_parts(each)


def _mend(schema: Any) -> Any:
    """Turns a list of one value into this value: generators of clients take enums of texts only."""
    match schema:
        case {"enum": [value], **rest}:
            return {**_mend(rest), "const": value}
        case dict():
            return {name: _mend(each) for name, each in schema.items()}
        case list():
            return [_mend(each) for each in schema]
    return schema
