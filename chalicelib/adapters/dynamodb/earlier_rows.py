"""Rows of the version before outputs: messages that held Slack's form, with three steps."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from chalicelib.domain.message import CsvFile, Message

# The steps of that version, as the outputs of today name them. `{file}` is the CSV's name.
_STEPS = {"post": "slack.post", "file": "slack.file:{file}", "store": "s3.store:{file}"}


def read_earlier_message(content: dict[str, Any]) -> Message:
    """Builds a message from the content of such a row.

    It keeps its text and its receipts. The channel of its post is not known, so a
    file that waits goes into the channel without a thread.
    """
    done, csv = content.get("done", {}), content.get("csv")
    files = []
    if csv:
        files.append(replace(msgspec.convert(csv, CsvFile), stored="store" in done))
    name = files[0].name if files else ""
    steps = {old: step.format(file=name) for old, step in _STEPS.items() if files or old == "post"}
    receipts = {**done, "post": f":{done['post']}"} if "post" in done else done
    return Message(
        id=content["id"],
        created_at=msgspec.convert(content["created_at"], datetime),
        text=content["rendered"]["text"],
        files=tuple(files),
        scan_ids=tuple(content.get("scan_ids", ())),
        snooze_ids=tuple(content.get("snooze_ids", ())),
        steps=tuple(steps.values()),
        done={steps[old]: receipt for old, receipt in receipts.items() if old in steps},
    )
