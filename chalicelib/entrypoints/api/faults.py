"""Names every fault of a request that msgspec has refused.

msgspec stops at the first fault. So each field is read alone, by its own type. The faults that are
left then say where they are without any text of msgspec.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import inspect, structs
from msgspec.structs import replace

from chalicelib.domain.errors import BadRequest, FieldFault, RequestError, RuleBroken
from chalicelib.entrypoints.api import wording
from chalicelib.entrypoints.api.requests import decode_duration

# Faults that one response lists.
MOST_FAULTS = 50
_COLLECTIONS = (list, tuple, set, frozenset)
Shape = TypeVar("Shape", bound=msgspec.Struct)


def read_parameters(given: Mapping[str, str], shape: type[Shape]) -> Shape:
    """Reads query parameters; the words of a list in any case. `BadRequest` names every fault."""
    reader = _Reader("parameter", "route", strict=False)
    repaired = reader.read_struct(given, shape, "")
    # a parameter is named without the slash of a JSON pointer
    faults = [replace(each, pointer=each.pointer[1:]) for each in reader.faults]
    if faults:
        raise _refuse_query(*faults)
    return _convert(repaired, shape, reader, _refuse_query)


def read_json(
    given: object, shape: type[Shape], find_broken_rules: Callable[[Shape], list[FieldFault]]
) -> Shape:
    """Reads a decoded body; the words of a list in any case.

    `RuleBroken` names every wrong field, and every rule that the other fields break.
    """
    if not isinstance(given, dict):
        raise _refuse_body(FieldFault("", "invalid", "The body is a JSON object."))
    reader = _Reader("field", "body", strict=True)
    repaired = reader.read_struct(given, shape, "")
    faults = reader.faults
    if faults:
        sketch = _sketch(repaired, shape, faults)
        wrong = {each.pointer for each in faults}
        broken = find_broken_rules(sketch) if sketch is not None else []
        raise _refuse_body(*faults, *(each for each in broken if each.pointer not in wrong))
    return _convert(repaired, shape, reader, _refuse_body)


class _Reader:
    """Reads fields one by one and collects their faults.

    If not `strict`, numbers and booleans are text, as in a query.
    """

    def __init__(self, what: str, where: str, *, strict: bool) -> None:
        self.strict = strict
        self.faults: list[FieldFault] = []
        self._what, self._where = what, where

    def read_struct(
        self, given: Mapping[str, Any], shape: type[msgspec.Struct], pointer: str
    ) -> dict[str, Any]:
        """Returns the fields without their repairable faults, such as another case."""
        fields = {each.encode_name: each for each in structs.fields(shape)}
        repaired = {}
        for name, value in given.items():
            place = f"{pointer}/{_escape(name)}"
            if name in fields:
                repaired[name] = self._read(value, fields[name].type, name, place)
            else:
                text = wording.describe_unknown(name, fields, self._what, self._where)
                self.faults.append(FieldFault(place, "unknown", text))
        for name, each in fields.items():
            if each.required and name not in given:
                text = wording.describe_missing(name, _find_wanted(each.type))
                self.faults.append(FieldFault(f"{pointer}/{_escape(name)}", "missing", text))
        return repaired

    def _read(self, given: Any, annotation: Any, name: str, pointer: str) -> Any:
        if self._is_taken(given, annotation):
            return given
        wanted = _find_wanted(annotation)
        before = len(self.faults)
        repaired = given
        match wanted.core, given:
            case inspect.StructType(cls=shape), dict():
                repaired = self.read_struct(given, shape, pointer)
            case inspect.CollectionType(), list():
                item = _find_item(annotation)
                repaired = [
                    self._read(each, item, f"{name}[{index}]", f"{pointer}/{index}")
                    for index, each in enumerate(given)
                ]
            case _, str():
                repaired = next((each for each in wanted.choices if _is_same(each, given)), given)
        if len(self.faults) == before and not self._is_taken(repaired, annotation):
            text = wording.describe_fault(name, given, wanted)
            self.faults.append(FieldFault(pointer, "invalid", text))
        return repaired

    def _is_taken(self, given: Any, annotation: Any) -> bool:
        try:
            msgspec.convert(given, annotation, strict=self.strict, dec_hook=decode_duration)
        except msgspec.ValidationError:
            return False
        return True


def _convert(
    repaired: dict[str, Any],
    shape: type[Shape],
    reader: _Reader,
    refuse: Callable[[FieldFault], RequestError],
) -> Shape:
    try:
        return msgspec.convert(repaired, shape, strict=reader.strict, dec_hook=decode_duration)
    except msgspec.ValidationError as error:
        # each field is right alone, and they are not together
        raise refuse(FieldFault("", "invalid", str(error))) from error


def _refuse_query(*faults: FieldFault) -> RequestError:
    return BadRequest("A query parameter is refused.", *faults[:MOST_FAULTS])


def _refuse_body(*faults: FieldFault) -> RequestError:
    return RuleBroken("A field of the body is refused; nothing was written.", *faults[:MOST_FAULTS])


def _sketch(
    repaired: Mapping[str, Any], shape: type[Shape], faults: list[FieldFault]
) -> Shape | None:
    """Builds the body with examples for its wrong and missing fields; None without examples.

    A rule about several fields then counts a wrong one as given.
    """
    wrong = {each.pointer.split("/")[1] for each in faults}
    fields = {each.encode_name: each for each in structs.fields(shape)}
    examples = {
        name: _find_wanted(each.type).example
        for name, each in fields.items()
        if _escape(name) in wrong
    }
    try:
        return msgspec.convert({**repaired, **examples}, shape, dec_hook=decode_duration)
    except msgspec.ValidationError:
        return None


def _find_wanted(annotation: Any) -> wording.Wanted:
    return wording.find_wanted(inspect.type_info(annotation))


def _is_same(choice: str, given: str) -> bool:
    return choice.casefold() == given.casefold()


def _find_item(annotation: Any) -> Any:
    """Returns the type of the items of a list, which may be annotated or optional."""
    if get_origin(annotation) in _COLLECTIONS:
        return get_args(annotation)[0]
    found = (_find_item(each) for each in get_args(annotation))
    return next((each for each in found if each is not None), None)


def _escape(name: str) -> str:
    """Escapes a name for a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")
