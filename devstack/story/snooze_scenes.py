"""The scenes about snoozes: created by the API, respected by scans, announced when they end."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from devstack.story.api_client import ApiClient
from devstack.story.narrator import Narrator, read_csv_rows, read_header

# Two seconds: long enough for the scene, short enough to wait for.
SHORT = "PT2S"
NOTHING_PENDING = {"messages_pending": 0, "snoozes": {"pending": 0, "active": 0, "ended": 2}}
PRINTED = ("id", "ends_at", "created_by")


@dataclass(slots=True)
class SnoozeScenes:
    """The scenes of one person, `author`, who calls the API."""

    narrator: Narrator
    api: ApiClient
    author: str

    def play_snooze(self, fleet: Mapping[str, str], node: str, like: str) -> int:
        """Snooze a title that fails on the node `like`, then let it fail on `node` too.

        The finding is stored but not announced. Returns the number of new findings.
        """
        narrator, api = self.narrator, self.api
        title = self._find_title_missing_on(node, like)
        request = {
            "title": title,
            "reason": "fix_scheduled",
            "comment": "TICKET-42: part of the next image",
            "duration": "P14D",
        }
        failing = len(self._list_findings(title=title))
        trial = api.send("POST", "/v1/snoozes?dry_run=true", request, ("total",))
        narrator.expect("findings that the snooze would mute", trial.json["total"], failing)
        created = api.send("POST", "/v1/snoozes", request, PRINTED)
        narrator.expect("status of the new snooze", created.status, 201)
        narrator.expect("its author", created.json["created_by"], self.author)
        moved = narrator.failed[fleet[like]] - narrator.failed[fleet[node]]
        scan = narrator.report_and_scan({**fleet, node: fleet[like]})
        narrator.expect("new findings", scan["findings_new"], moved)
        narrator.expect("new but snoozed", scan["snoozed"], 1)
        (message, reply) = narrator.read_new_messages(2)
        narrator.expect("header", read_header(message), f"{moved - 1} new non-compliant findings")
        blocks = str(message.blocks)
        narrator.expect("new but snoozed, in Slack", "New but snoozed" in blocks, expected=True)
        announced = {row["title"] for row in read_csv_rows(reply)}
        narrator.expect("the title in the CSV", title in announced, expected=False)
        snoozed = len(self._list_findings(state="snoozed"))
        narrator.expect("snoozed findings", snoozed, failing + 1)
        return moved

    def play_end(self, broken: str) -> None:
        """Snooze a finding of the node `broken`, then let both snoozes end.

        What still fails is announced once.
        """
        narrator = self.narrator
        (rule,) = self.api.get("/v1/snoozes?state=active")["items"]
        finding = self._list_findings(instance_id=broken, state="open")[0]
        muted = len(self._list_findings(state="snoozed")) + 1
        request = {"reason": "fix_in_progress", "comment": "TICKET-43: today", "duration": SHORT}
        path = f"/v1/findings/{finding['finding_id']}/snooze"
        created = self.api.send("PUT", path, request, PRINTED)
        narrator.expect("status of the new snooze", created.status, 201)
        change = {"duration": SHORT, "comment": "TICKET-42: this image already"}
        path, etag = f"/v1/snoozes/{rule['id']}", f'"{rule["version"]}"'
        changed = self.api.send("PATCH", path, change, PRINTED, If_Match=etag)
        narrator.expect("status of the changed snooze", changed.status, 200)
        ends = [datetime.fromisoformat(each.json["ends_at"]) for each in (created, changed)]
        with narrator.console.status("Waiting for both snoozes to end"):
            time.sleep(max(0.0, (max(ends) - datetime.now(UTC)).total_seconds()))
            narrator.handlers.reconcile()
        narrator.console.print("[cyan]reconcile, after both have ended")
        (message, reply) = narrator.read_new_messages(2)
        headline = f"{muted} findings still fail after their snooze ended"
        narrator.expect("header", read_header(message), headline)
        narrator.expect("CSV rows", len(read_csv_rows(reply)), muted)
        blocks = str(message.blocks)
        for words in (f"snoozed by {self.author}", "fix scheduled", "fix in progress", "TICKET-42"):
            narrator.expect(f"{words!r} in Slack", words in blocks, expected=True)
        narrator.handlers.reconcile()
        narrator.console.print("[cyan]reconcile, a second time")
        narrator.read_new_messages(0)
        summary = self.api.get("/v1/summary")
        pending = {name: summary[name] for name in NOTHING_PENDING}
        narrator.expect("the summary of the API", pending, NOTHING_PENDING)

    def _find_title_missing_on(self, node: str, like: str) -> str:
        """Return the first title, by alphabet, that fails on `like` but not on `node`."""
        here, there = (
            {row["title"] for row in self._list_findings(instance_id=each)} for each in (node, like)
        )
        return str(min(there - here))

    def _list_findings(self, **query: str) -> Sequence[dict[str, Any]]:
        response = self.api.get(f"/v1/findings?{urlencode({'limit': 200, **query})}")
        items: list[dict[str, Any]] = response["items"]
        return items
