"""A body is read, or every fault is named. Nothing else happens."""

import json
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.errors import BadRequest, RuleBroken, TooLarge
from chalicelib.entrypoints.api.call import LARGEST_BODY, read_body
from chalicelib.entrypoints.api.durations import explain_duration
from chalicelib.entrypoints.api.requests import (
    Body,
    ChangeSnooze,
    CreateSnooze,
    Duration,
    SnoozeFinding,
    decode_duration,
)
from chalicelib.entrypoints.api.wording import LONGEST_QUOTE
from tests.fleet import Service
from tests.fuzz.strategies import FUZZ, INSTANTS, JSON, RAW_TEXT, mutate

INBOX = Service().inbox
CODES = {"invalid", "missing", "unknown"}
DURATIONS = st.from_regex(r"P?[0-9]{0,8} ?[a-zA-Z]{0,7}T?([0-9]{1,4}[HMSm])?", fullmatch=True)
VALID: dict[str, Any] = {
    "reason": "other",
    "comment": "ticket 42",
    "duration": "P1D",
    "until_resolved": True,
    "instance_id": "i-0",
    "title": "A",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A body as JSON, and the type that reads it."""

    content: Any
    shape: type[Body]


SHAPES = st.sampled_from((SnoozeFinding, CreateSnooze, ChangeSnooze))
BODIES = st.builds(Sent, mutate(VALID, JSON | DURATIONS | INSTANTS | RAW_TEXT) | JSON, SHAPES)


def check_body(sent: Sent) -> None:
    """A body is read as msgspec reads it; if not, its faults have pointers to where they are."""
    content = json.dumps(sent.content).encode()
    request: Any = SimpleNamespace(raw_body=content)
    try:
        read = read_body(request, sent.shape, INBOX)
    except TooLarge:
        assert len(content) > LARGEST_BODY
        return
    except (BadRequest, RuleBroken) as error:
        refused = error
    else:
        assert isinstance(read, sent.shape)
        return
    codes = {fault.code for fault in refused.faults}
    assert codes == {"json"} if isinstance(refused, BadRequest) else CODES & codes
    for fault in refused.faults:
        assert fault.pointer == "" or is_place(fault.pointer, sent)
        assert len(fault.message) < 4 * LONGEST_QUOTE + 400
        fault.message.encode()


def is_place(pointer: str, sent: Sent) -> bool:
    """Whether a JSON pointer leads to a field of the body, or to one that it should have."""
    name = pointer.split("/")[1].replace("~1", "/").replace("~0", "~")
    return name in sent.content or name in sent.shape.__struct_fields__


@given(BODIES)
@example(Sent({**VALID, "duration": "P999999999D"}, SnoozeFinding))
@example(Sent({**VALID, "ends_at": "0001-01-01"}, CreateSnooze))
@example(Sent({"\ud800": math.nan}, ChangeSnooze))
@FUZZ
def test_a_body_is_read_or_every_fault_is_named(sent: Sent) -> None:
    check_body(sent)


def test_what_a_text_suggests_for_a_duration_is_accepted() -> None:
    for given_text in ("14d", "2 weeks", "1h30m", "P1M", "P1Y2M", "P1W1D", "0s", "99999 years"):
        suggested = explain_duration(given_text).partition("Write ")[2].split(" ")[0].rstrip(".")

        assert isinstance(decode_duration(Duration, suggested), Duration)
