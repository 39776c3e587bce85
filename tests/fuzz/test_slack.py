"""Slack messages: taken by Slack, and nothing that hosts wrote is more than text."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
from hypothesis import HealthCheck, example, given, settings

from chalicelib.domain.announcement import Alert, Line, LineReason, Lines, Topic
from chalicelib.domain.finding import Finding, Severity
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.message import Message, Rendered
from chalicelib.domain.monthly import MonthlyReport
from chalicelib.domain.scan import Coverage, Outcome
from chalicelib.domain.snooze import Reason, Snooze
from chalicelib.reports.slack_alert import render_alert
from chalicelib.reports.slack_monthly import render_monthly
from chalicelib.reports.text import Origin
from devstack.slack import limits
from devstack.slack.check_message import check_block, validate_blocks
from devstack.slack.markup import parse_mrkdwn
from devstack.slack.spans import Style
from tests.effort import examples
from tests.fuzz.inputs import ALERTS, AT, LONGEST, MONTHS

ORIGIN = Origin("123456789012", "eu-central-1", "prod", "Europe/Berlin")
BLOCKS = {"header", "section", "context", "table"}
# What may stand in a message beside texts: everything else could be a link or a mention.
KEYS = {
    *("type", "text", "fields", "elements", "emoji", "verbatim"),
    *("rows", "column_settings", "align", "is_wrapped"),
}
ENTITY = re.compile(r"&(?!(?:amp|lt|gt);)")
PARSED = re.compile(r"<[!@#]|<https?:|<mailto:|[<>]")
WHOLE_MESSAGE = 10_000
# Controls, halves of pairs, line breaks, and what shows text in another order or not at all.
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def check_alert(alert: Alert) -> None:
    """The message of a pass is taken and harmless."""
    check_message(render_alert(alert, ORIGIN))


def check_month(month: MonthlyReport) -> None:
    """The monthly message is taken and harmless."""
    check_message(render_monthly(month, ORIGIN))


def check_message(message: Rendered) -> None:
    """Slack takes it whole, the ledger keeps it, and nothing of it is parsed."""
    check_taken(message)
    kept = Message("m", AT, message)
    assert json.dumps(
        msgspec.json.decode(msgspec.json.encode(kept), type=Message).rendered.blocks
    ) == json.dumps(message.blocks)
    check_parsed(message.text)
    for key in keys(message.blocks):
        assert key in KEYS, key
    for kind, text in [*texts(message.blocks), ("text", message.text)]:
        shown = text.replace("\n", "") if kind in {"plain_text", "mrkdwn"} else text
        assert not [each for each in shown if unicodedata.category(each) in HIDDEN]
        if kind == "mrkdwn":
            check_parsed(text)


def check_taken(message: Rendered) -> None:
    """Block Kit's limits, those that Slack states nowhere included."""
    blocks = json.loads(json.dumps(message.blocks))
    assert len(blocks) <= limits.BLOCKS
    for index, block in enumerate(blocks):
        assert block["type"] in BLOCKS
        assert list(check_block(block, f"/blocks/{index}")) == []
    assert validate_blocks(message.text, blocks)
    json.dumps(blocks, ensure_ascii=False).encode()
    assert len(json.dumps(blocks, ensure_ascii=False)) + len(message.text) < WHOLE_MESSAGE


def check_parsed(text: str) -> None:
    """No mention, no ping, no link, no entity but our own, in a text that Slack parses."""
    assert not PARSED.search(text)
    assert not ENTITY.search(text)
    for span in parse_mrkdwn(text):
        assert not span.styles & {Style.PING, Style.MENTION}


def texts(node: Any) -> Iterator[tuple[str, str]]:
    """Every text of a tree of blocks with the kind of its object, which must be inert."""
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
            yield from texts(child)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from texts(child)


def keys(node: Any) -> Iterator[str]:
    """Every key of a tree of blocks."""
    if isinstance(node, Mapping):
        yield from node
    children = node.values() if isinstance(node, Mapping) else node
    for child in children:
        if isinstance(child, Mapping | list | tuple):
            yield from keys(child)


def longest(text: str) -> Alert:
    """An alert in which everything is long and made of a text."""
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
        Outcome(texts[0], AT, (), 1, 1, {Severity.HIGH: 1}, coverage),
        Lines((*new, *over)),
        jobs=(job,) * 4,
        not_scanned=tuple(texts),
    )


@given(ALERTS)
@example(longest('"'))
@example(longest("<"))
@example(longest("&\\"))
@example(longest("\U0001f525"))
@settings(
    max_examples=examples(300, soak=10_000),
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.large_base_example,
    ],
)
def test_an_alert_is_taken_and_harmless(alert: Alert) -> None:
    check_alert(alert)


@given(MONTHS)
@settings(
    max_examples=examples(300, soak=10_000),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_a_monthly_report_is_taken_and_harmless(month: MonthlyReport) -> None:
    check_month(month)
