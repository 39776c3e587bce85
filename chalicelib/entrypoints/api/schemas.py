"""The schemas and the examples of the specification.

Tools read less than msgspec writes, so some schemas are mended. Each example in examples.json is
accepted as it stands, or was produced: `python -m tests.functional.api.renew_examples`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

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
    for kind in inspect.multi_type_info(kinds):
        _mark_times(kind, schemas)
    mended: dict[str, Json] = {name: _mend(schema) for name, schema in schemas.items()}
    return mended


def list_parameters(kind: type[msgspec.Struct]) -> dict[str, Json]:
    """Returns the schema of each parameter of a query, by name."""
    schemas = build_schemas([kind])
    properties: dict[str, Json] = schemas[kind.__name__]["properties"]
    return {name: _inline(each, schemas) for name, each in properties.items()}


def _inline(schema: Json, schemas: Mapping[str, Json]) -> Json:
    """Replaces a reference by its schema: types of parameters are not among the components."""
    return schemas[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


def _mark_times(kind: inspect.Type, schemas: Mapping[str, Json]) -> None:
    """Gives every time its format. msgspec leaves it out if a time may have no zone; ours have."""
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            for field in fields:
                _mark_times(field.type, schemas)
                if _has_time(field.type):
                    schema = schemas[cls.__name__]["properties"][field.encode_name]
                    for each in schema.get("anyOf", [schema]):
                        each.update({"format": "date-time"} if each["type"] == "string" else {})
        case inspect.CollectionType(item_type=inner) | inspect.DictType(value_type=inner):
            _mark_times(inner, schemas)
        case inspect.UnionType(types=types):
            for each in types:
                _mark_times(each, schemas)


def _has_time(kind: inspect.Type) -> bool:
    types = kind.types if isinstance(kind, inspect.UnionType) else [kind]
    return any(isinstance(each, inspect.DateTimeType) for each in types)


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
