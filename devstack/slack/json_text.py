"""Reads JSON that came over the wire, as strictly as Slack."""

import json
from typing import Any


def read_json(text: str | bytes) -> Any:
    r"""Parse JSON text, or raise ValueError.

    Halves of surrogate pairs, such as a lone \ud800, are refused too: they are no text, no
    answer in UTF-8 can repeat them, and Slack's parser does not take them.
    """
    value = json.loads(text)
    json.dumps(value, ensure_ascii=False).encode()
    return value
