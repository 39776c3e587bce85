"""The scenes about snoozes: set over the API, obeyed by the scan, told once when they end."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from rich.text import Text

from devstack.slack.model import Message
from devstack.story.api_client import ApiClient
from devstack.story.narrator import Narrator, expect, read_csv_rows, read_header

# Seconds in the words of the API: long enough to be seen, short enough to wait for.
SHORT = "PT2S"
SETTLED = {"messages_pending": 0, "snoozes": {"pending": 0, "active": 0, "ended": 2}}


@dataclass(slots=True)
class SnoozeScenes:
    """Scenes of one person who works through the API."""

    telling: Narrator
    api: ApiClient
    author: str

    def before_it_fails(self, fleet: Mapping[str, str], node: str, like: str) -> int:
        """Snooze a title that fails on the node `like`, then let it fail on `node` too.

        It is stored and kept quiet. Returns the number of findings that this opened.
        """
        console = self.telling.console
        title = self._missing_on(node, like)
        wish = {
            "title": title,
            "reason": "fix_scheduled",
            "comment": "TICKET-42: part of the next image",
            "duration": "P14D",
        }
        failing = len(self._found(title=title))
        trial = self.api.shown(console, "POST", "/v1/snoozes?dry_run=true", wish)
        expect("what the rule would mute", trial.json["total"], failing)
        rule = self.api.shown(console, "POST", "/v1/snoozes", wish)
        expect("status of the rule", rule.status, 201)
        expect("its author", rule.json["created_by"], self.author)
        moved = self.telling.failed[fleet[like]] - self.telling.failed[fleet[node]]
        made = self.telling.report_and_scan({**fleet, node: fleet[like]})
        expect("new findings", made["findings_new"], moved)
        expect("new but snoozed", made["snoozed"], 1)
        (message, file) = self.telling.said(2)
        expect("header", read_header(message), f"{moved - 1} new non-compliant findings")
        expect("new but snoozed, in Slack", "New but snoozed" in texts(message), wanted=True)
        told = {row["title"] for row in read_csv_rows(file)}
        expect("the title in the CSV", title in told, wanted=False)
        expect("findings that are snoozed", len(self._found(state="snoozed")), failing + 1)
        return moved

    def until_they_end(self, broken: str) -> None:
        """Snooze a finding that was told, let both snoozes end: what still fails is told once."""
        telling, console = self.telling, self.telling.console
        (rule,) = self.api.get("/v1/snoozes?state=active")["items"]
        finding = self._found(instance_id=broken, state="open")[0]
        muted = len(self._found(state="snoozed")) + 1
        wish = {"reason": "fix_in_progress", "comment": "TICKET-43: today", "duration": SHORT}
        path = f"/v1/findings/{finding['finding_id']}/snooze"
        pair = self.api.shown(console, "PUT", path, wish)
        expect("status of the snooze", pair.status, 201)
        sooner = {"duration": SHORT, "comment": "TICKET-42: this image already"}
        path, etag = f"/v1/snoozes/{rule['id']}", f'"{rule["version"]}"'
        changed = self.api.shown(console, "PATCH", path, sooner, If_Match=etag)
        expect("status of the change", changed.status, 200)
        ends = [datetime.fromisoformat(each.json["ends_at"]) for each in (pair, changed)]
        with console.status("both snoozes end"):
            time.sleep(max(0.0, (max(ends) - datetime.now(UTC)).total_seconds()))
            telling.handlers.reconcile()
        console.print(Text("reconcile, after their end", "cyan"))
        (message, file) = telling.said(2)
        expect("header", read_header(message), f"{muted} findings still fail after their snooze")
        expect("rows of its CSV", len(read_csv_rows(file)), muted)
        said = texts(message)
        for word in (f"snoozed by {self.author}", "fix scheduled", "fix in progress", "TICKET-42"):
            expect(f"{word!r} in Slack", word in said, wanted=True)
        telling.handlers.reconcile()
        console.print(Text("reconcile, once more", "cyan"))
        telling.said(0)
        summary = self.api.get("/v1/summary")
        expect("the summary", {name: summary[name] for name in SETTLED}, SETTLED)

    def _missing_on(self, node: str, like: str) -> str:
        """The first title by the alphabet that fails on the node `like` and not on `node`."""
        titles = [{row["title"] for row in self._found(instance_id=each)} for each in (like, node)]
        return str(min(titles[0] - titles[1]))

    def _found(self, **query: str) -> Sequence[dict[str, Any]]:
        answer = self.api.get(f"/v1/findings?{urlencode({'limit': 200, **query})}")
        items: list[dict[str, Any]] = answer["items"]
        return items


def texts(message: Message) -> str:
    """Everything that a message says, in one text."""
    return str(message.blocks)
