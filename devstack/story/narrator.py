"""The narrator runs the steps that scenes share, prints what happens and checks every count."""

import csv
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from devstack.environment import ASSOCIATION
from devstack.inspec.loader import load_sample, read_clock
from devstack.local_app import Handlers
from devstack.slack.model import Message
from devstack.slack.terminal import render_transcript
from devstack.stack import Stack

# Failed results of each sample report. A title that occurs twice on a node counts once.
FAILED = {
    "amazon-bad": 15,
    "amazon-good": 3,
    "ubuntu-good": 4,
    "ubuntu-bad": 16,
    "unsupported-platform": 0,
}
CSV_ROWS_SHOWN = 3


class StoryError(AssertionError):
    """A count differs from the expected one."""


@dataclass(slots=True)
class Narrator:
    """Works on a stack and prints to a console. `checks` counts the checks that passed."""

    stack: Stack
    handlers: Handlers
    console: Console
    failed: Mapping[str, int] = field(default_factory=lambda: FAILED)
    checks: int = 0
    _scenes: list[tuple[str, list[str]]] = field(default_factory=list)
    _messages_seen: int = 0
    _began: datetime | None = None

    def open_scene(self, title: str) -> None:
        """Print the title of the next scene."""
        self._scenes.append((f"{len(self._scenes) + 1}. {title}", []))
        self.console.print()
        self.console.rule(f"[bold]{self._scenes[-1][0]}", align="left")

    def expect(self, what: str, seen: object, expected: object) -> None:
        """Check a value, or raise `StoryError`."""
        if seen != expected:
            raise StoryError(f"{what}: expected {expected}, saw {seen}")
        self.checks += 1

    def _begin_execution(self) -> datetime:
        """Return the present second. No two executions of an association begin in the same one."""
        while (began := read_clock()) == self._began:
            time.sleep(0.02)
        self._began = began
        return began

    def report_and_scan(self, reports: Mapping[str, str]) -> dict[str, int]:
        """Let nodes report, then send the event of the association. Returns the scan's counts."""
        began = self._begin_execution()
        table = Table("node", "report", "failed checks", box=None)
        with self.console.status("Loading InSpec reports into SSM Compliance"):
            for node, name in reports.items():
                loaded = load_sample(self.stack.aws.url, node, name)
                self.expect(f"failed results of {name}", loaded.non_compliant, self.failed[name])
                table.add_row(node, name, str(loaded.non_compliant))
        self.console.print(table)
        statuses = dict.fromkeys(reports, "Success")
        self.stack.aws.run_association(ASSOCIATION, began, statuses)
        with self.console.status("Sending the association event to ec2-inspec-scan"):
            response = self.handlers.scan(began, {"Success": len(reports)})
        scan: dict[str, int]
        (scan,) = response["scans"]
        self.console.print(
            f"[cyan]ec2-inspec-scan: new {scan['findings_new']} · fixed {scan['findings_fixed']} · "
            f"open {scan['open']} · {scan['api_calls']} API calls · {scan['seconds']:.1f} s"
        )
        return scan

    def read_new_messages(self, count: int) -> tuple[Message, ...]:
        """Print the messages since the last call and check their number."""
        messages = self.stack.slack.messages
        new = messages[self._messages_seen :]
        self.console.print("In Slack:" if new else "In Slack: nothing new", style="bold")
        self.console.print(render_transcript(new))
        self.expect("new messages in Slack", len(new), count)
        self._scenes[-1][1].extend(read_header(each) for each in new if each.thread_ts is None)
        self._messages_seen = len(messages)
        return new

    def print_csv(self, message: Message) -> int:
        """Print the first rows of the CSV of a message. Returns the number of all rows."""
        (file,) = message.files
        rows = read_csv_rows(message)
        self.console.print(Text(f"{file.name}: {len(rows)} rows. The first {CSV_ROWS_SHOWN}:"))
        for row in rows[:CSV_ROWS_SHOWN]:
            line = f" {row['instance_id']}  {row['severity']:8}  {row['title']}"
            self.console.print(Text(line), no_wrap=True, overflow="ellipsis")
        return len(rows)

    def print_summary(self) -> None:
        """Print what Slack showed in each scene."""
        self.console.print()
        self.console.rule(f"[bold green]All {self.checks} checks passed", align="left")
        table = Table("scene", "headline in Slack", box=None, pad_edge=False)
        for title, headlines in self._scenes:
            table.add_row(title, "\n".join(headlines))
        self.console.print(table)


def read_csv_rows(message: Message) -> list[dict[str, str]]:
    """Return the rows of the CSV of a message, keyed by column."""
    (file,) = message.files
    return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))


def read_header(message: Message) -> str:
    """Return the text of the header block of a message."""
    headers = [block["text"]["text"] for block in message.blocks if block["type"] == "header"]
    return str(headers[0]) if headers else ""
