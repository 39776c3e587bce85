"""Slack accepts every message, and a text of a host is never more than text."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import example, given
from msgspec.structs import replace

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines, Topic
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.message import Message
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Coverage, Job, JobKind, Outcome
from chalicelib.domain.snooze import Reason, Snooze
from chalicelib.domain.summary import summarize_alert
from chalicelib.reports.slack_alert import render_alert
from chalicelib.reports.slack_blocks import Origin, Rendered
from chalicelib.reports.slack_monthly import render_monthly
from devstack.slack import limits
from devstack.slack.check_message import check_block, validate_blocks
from devstack.slack.markup import parse_mrkdwn
from devstack.slack.spans import Style
from tests.fuzz.strategies import FUZZ, LONGEST
from tests.fuzz.values import ALERTS, AT, MONTHS

ORIGIN = Origin("123456789012", "eu-central-1", "prod", "Europe/Berlin")
BLOCKS = {"header", "section", "context", "table"}
# The keys of blocks. Any other could be a link or a mention.
KEYS = {
    *("type", "text", "fields", "elements", "emoji", "verbatim"),
    *("rows", "column_settings", "align", "is_wrapped"),
}
ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
PARSED = re.compile(r"<[!@#]|<https?:|<mailto:|[<>]")
WHOLE_MESSAGE = 10_000
# Controls, halves of pairs, line breaks, and characters that reorder or hide text.
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def check_alert(alert: Alert) -> None:
    """The message of a scan is stored, accepted and harmless."""
    summary = summarize_alert(alert)
    check_stored(Message("m", AT, alert=summary))
    check_message(render_alert(summary, ORIGIN))


def check_month(month: MonthlyReport) -> None:
    """The monthly message is stored, accepted and harmless."""
    check_stored(Message("m", AT, month=month))
    check_message(render_monthly(month, ORIGIN))


def check_stored(message: Message) -> None:
    """The ledger stores the message. Adapters have replaced halves of surrogate pairs."""
    with suppress(UnicodeEncodeError):
        assert msgspec.json.decode(msgspec.json.encode(message), type=Message) == message


def check_message(message: Rendered) -> None:
    """Slack accepts the message, and no text is parsed."""
    check_accepted(message)
    check_not_parsed(message.text)
    for key in list_keys(message.blocks):
        assert key in KEYS, key
    for kind, text in [*list_texts(message.blocks), ("text", message.text)]:
        shown = text.replace("\n", "") if kind in {"plain_text", "mrkdwn"} else text
        assert not [each for each in shown if unicodedata.category(each) in HIDDEN]
        if kind == "mrkdwn":
            check_not_parsed(text)


def check_accepted(message: Rendered) -> None:
    """The message is within the limits of Block Kit, also the undocumented ones."""
    blocks = json.loads(json.dumps(message.blocks))
    assert len(blocks) <= limits.BLOCKS
    for index, block in enumerate(blocks):
        assert block["type"] in BLOCKS
        assert list(check_block(block, f"/blocks/{index}")) == []
    assert validate_blocks(message.text, blocks)
    json.dumps(blocks, ensure_ascii=False).encode()
    assert len(json.dumps(blocks, ensure_ascii=False)) + len(message.text) < WHOLE_MESSAGE


def check_not_parsed(text: str) -> None:
    """A text that Slack parses has no mention, no ping, no link, and only our own entities."""
    assert not PARSED.search(text)
    assert not ENTITY.search(text)
    for span in parse_mrkdwn(text):
        assert not span.styles & {Style.PING, Style.MENTION}


def list_texts(node: Any) -> Iterator[tuple[str, str]]:
    """Yields every text of a tree of blocks with the type of its object, which must be inert."""
    if isinstance(node, Mapping):
        if isinstance(node.get("text"), str):
            if node["type"] == "plain_text":
                assert node["emoji"] is False
            elif node["type"] == "mrkdwn":
                assert node["verbatim"] is True
            else:
                assert node["type"] == "raw_text"
            yield node["type"], node["text"]
        for child in node.values():
            yield from list_texts(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from list_texts(child)


def list_keys(node: Any) -> Iterator[str]:
    """Yields every key of a tree of blocks."""
    if isinstance(node, Mapping):
        yield from node
    children = node.values() if isinstance(node, Mapping) else node
    for child in children:
        if isinstance(child, Mapping | list | tuple):
            yield from list_keys(child)


def build_longest(text: str) -> Alert:
    """Builds an alert in which every field is long and repeats a text."""
    texts = [f"{text * LONGEST}{number}"[number:LONGEST] for number in range(14)]
    findings = [Finding(each, each, Severity.CRITICAL, each, AT, each) for each in texts]
    ended = [
        Snooze(
            id=each,
            instance_id=each,
            title=each,
            starts_at=AT,
            ends_at=AT,
            until_resolved=False,
            reason=Reason.OTHER,
            comment=each,
            created_by=each,
            created_via=each,
            created_at=AT,
        )
        for each in texts
    ]
    new = [Line(each, LineReason.NEW) for each in findings]
    over = [
        Line(replace(each, scan_id=""), LineReason.SNOOZE_ENDED, snooze)
        for each, snooze in zip(findings, ended, strict=True)
    ]
    job = Job("k", JobKind.EXECUTION, AT, AT, texts[0], texts[0], AT, {texts[0]: 1})
    coverage = Coverage(9, deferred=1, unverified=dict(zip(texts, texts, strict=True)), missing=5)
    return Alert(
        Topic.NEW,
        Outcome(texts[0], AT, (), {Severity.HIGH: 1}, coverage),
        Lines((*new, *over)),
        jobs=(job,) * 4,
        without_result=tuple(texts),
    )


@given(ALERTS)
@example(build_longest('"'))
@example(build_longest("<"))
@example(build_longest("&\\"))
@example(build_longest("\U0001f525"))
@FUZZ
def test_an_alert_is_accepted_and_harmless(alert: Alert) -> None:
    check_alert(alert)


@given(MONTHS)
@FUZZ
def test_a_monthly_report_is_accepted_and_harmless(month: MonthlyReport) -> None:
    check_month(month)
