"""What the scenes of the story are told with: reports, scans, the channel, files, counts."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from devstack.inspec.loader import load_sample, read_clock
from devstack.local_app import Handlers
from devstack.slack.model import Message
from devstack.slack.terminal import render_transcript
from devstack.stack import Stack

# Failed results of the sample reports, after titles that occur twice on a node are folded.
FAILED = {
    "amazon-bad": 15,
    "amazon-good": 3,
    "ubuntu-good": 4,
    "ubuntu-bad": 16,
    "unsupported-platform": 0,
}
CSV_ROWS_SHOWN = 5


class StoryError(AssertionError):
    """What was seen is not what the story says."""


def expect(what: str, seen: object, wanted: object) -> None:
    """Stop the story where a count is wrong."""
    if seen != wanted:
        raise StoryError(f"{what}: expected {wanted}, saw {seen}")


@dataclass(slots=True)
class Narrator:
    """The scenes share the stack, the handlers, the terminal and the folder for what is kept."""

    stack: Stack
    handlers: Handlers
    console: Console
    folder: Path
    failed: Mapping[str, int] = field(default_factory=lambda: FAILED)
    seen: int = 0

    def report_and_scan(self, reports: Mapping[str, str]) -> dict[str, int]:
        """Let the nodes report, then let the association's event arrive."""
        began = read_clock()
        table = Table("node", "report", "non-compliant", box=None)
        with self.console.status("InSpec reports are loaded into SSM Compliance"):
            for node, name in reports.items():
                loaded = load_sample(self.stack.aws.url, node, name)
                expect(f"failed results of {name}", loaded.non_compliant, self.failed[name])
                table.add_row(node, name, str(loaded.non_compliant))
        self.console.print(table)
        with self.console.status("the association event reaches ec2-inspec-scan"):
            answer = self.handlers.scan(began, {"Success": len(reports)})
        (made,) = answer["scans"]
        facts = {
            "opened": made["findings_new"],
            "resolved": made["findings_fixed"],
            "open": made["open"],
            "API calls": made["api_calls"],
            "seconds": made["seconds"],
        }
        shown = " · ".join(f"{name} {value}" for name, value in facts.items())
        self.console.print(Text(f"ec2-inspec-scan: {shown}", "cyan"))
        counts: dict[str, int] = made
        return counts

    def said(self, count: int) -> tuple[Message, ...]:
        """What came into the channel since the last look; it is printed and then put aside."""
        messages = self.stack.slack.messages
        new = messages[self.seen :]
        self.console.print("In Slack:" if new else "In Slack: nothing", style="bold")
        self.console.print(render_transcript(new))
        expect("new messages in Slack", len(new), count)
        self.seen = len(messages)
        return new

    def show_csv(self, message: Message) -> int:
        """Print the first rows of a thread's CSV; returns the number of rows."""
        (file,) = message.files
        rows = read_csv_rows(message)
        table = Table("instance_id", "severity", "title", title=f"{file.name}: {len(rows)} rows")
        for row in rows[:CSV_ROWS_SHOWN]:
            table.add_row(*(Text(row[name]) for name in ("instance_id", "severity", "title")))
        self.console.print(table)
        return len(rows)

    def keep(self, name: str, message: Message) -> None:
        """Keep a CSV for the reader to open."""
        (self.folder / name).write_bytes(message.files[0].content)


def read_csv_rows(message: Message) -> list[dict[str, str]]:
    """The rows of a thread's CSV, by column."""
    (file,) = message.files
    return list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))


def read_header(message: Message) -> str:
    """The text of a message's header block."""
    headers = [block["text"]["text"] for block in message.blocks if block["type"] == "header"]
    return str(headers[0]) if headers else ""
