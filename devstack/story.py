"""The main job as a story: four nodes, three scans, a month. Each scene asserts what it shows."""

import csv
import io
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from devstack.aws.session import local_session
from devstack.handlers import Handlers
from devstack.sample_fleet import FLEET, load_sample, started_now
from devstack.slack.model import Message
from devstack.slack.transcript import transcript
from devstack.stack import Stack

# Failed results of the sample reports, after titles that occur twice on a node are folded.
FAILED = {
    "amazon-bad": 15,
    "amazon-good": 3,
    "ubuntu-good": 4,
    "ubuntu-bad": 16,
    "unsupported-platform": 0,
}
REPAIRED, BROKEN, DOUBTFUL = (
    "i-0a1b2c3d4e5f60001",
    "i-0a1b2c3d4e5f60002",
    "i-0a1b2c3d4e5f60003",
)
CSV_ROWS_SHOWN = 5


class StoryError(AssertionError):
    """What was seen is not what the story says."""


def expect(what: str, seen: object, wanted: object) -> None:
    """Stop the story where a count is wrong."""
    if seen != wanted:
        raise StoryError(f"{what}: expected {wanted}, saw {seen}")


@dataclass(slots=True)
class Story:
    """The scenes share the stack, the handlers, the terminal and the folder for what is kept."""

    stack: Stack
    handlers: Handlers
    console: Console
    folder: Path
    failed: Mapping[str, int] = field(default_factory=lambda: FAILED)
    seen: int = 0

    def play(self) -> None:
        """Play every scene, in order."""
        total = sum(self.failed[name] for name in FLEET.values())
        scenes: list[tuple[str, Callable[[int], None]]] = [
            ("Four nodes report, and everything is new", self.first_scan),
            ("The same reports again: nothing is new", self.second_scan),
            ("One host is repaired, another one breaks", self.third_scan),
            ("On one host no check can run: that is no all-clear", self.doubtful_scan),
            ("The month ends", self.month),
        ]
        for number, (title, scene) in enumerate(scenes, 1):
            self.console.rule(f"[bold]{number}. {title}", align="left")
            scene(total)
            self.console.print()

    def first_scan(self, total: int) -> None:
        """Everything that fails is new."""
        made = self.report_and_scan(FLEET)
        expect("new findings", made["opened"], total)
        (message, file) = self.said(2)
        expect("CSV rows", self.show_csv(file), total)
        self.keep("first-alert.csv", file)
        expect("header", header(message), f"{total} new non-compliant findings")

    def second_scan(self, total: int) -> None:
        """The answer is short, and nothing is told twice."""
        made = self.report_and_scan(FLEET)
        expect("new findings", made["opened"], 0)
        expect("open findings", made["open"], total)
        (message,) = self.said(1)
        expect("header", header(message), "No new non-compliant findings")

    def third_scan(self, total: int) -> None:
        """What was repaired leaves the store, what broke is told."""
        swapped = FLEET | {REPAIRED: FLEET[BROKEN], BROKEN: FLEET[REPAIRED]}
        made = self.report_and_scan(swapped)
        moved = self.failed["amazon-bad"] - self.failed["amazon-good"]
        expect("new findings", made["opened"], moved)
        expect("resolved findings", made["resolved"], moved)
        expect("open findings", made["open"], total)
        (message, file) = self.said(2)
        rows = list(csv.DictReader(io.StringIO(file.files[0].content.decode("utf-8-sig"))))
        expect("nodes in the CSV", {row["instance_id"] for row in rows}, {BROKEN})
        expect("header", header(message), f"{moved} new non-compliant findings")

    def doubtful_scan(self, total: int) -> None:
        """Nothing is resolved without proof, and the doubt is told."""
        fleet = FLEET | {REPAIRED: FLEET[BROKEN], BROKEN: FLEET[REPAIRED]}
        made = self.report_and_scan(fleet | {DOUBTFUL: "unsupported-platform"})
        expect("resolved findings", made["resolved"], 0)
        expect("open findings", made["open"], total)
        (message,) = self.said(1)
        expect("header", header(message), "Scan incomplete")

    def month(self, total: int) -> None:
        """Everything stored goes to Slack and S3."""
        with self.console.status("monthly-alert runs"):
            self.handlers.monthly()
        (_, file) = self.said(2)
        expect("CSV rows", self.show_csv(file), total)
        bucket = self.stack.resources.reports_bucket
        with closing(local_session().client("s3", endpoint_url=self.stack.aws.url)) as s3:
            listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
            monthly = [each for each in listed if each["Key"].startswith("monthly/")]
            expect("monthly objects in S3", len(monthly), 1)
            stored = s3.get_object(Bucket=bucket, Key=monthly[0]["Key"])["Body"].read()
        table = Table("S3 object", "bytes", box=None)
        for each in listed:
            table.add_row(f"s3://{bucket}/{each['Key']}", f"{each['Size']:,}")
        self.console.print(table)
        expect("the object in S3", stored, file.files[0].content)
        self.keep("monthly.csv", file)

    def report_and_scan(self, reports: dict[str, str]) -> dict[str, int]:
        """Let the nodes report, then let the association's event arrive."""
        began = started_now()
        table = Table("node", "report", "non-compliant", box=None)
        with self.console.status("InSpec reports are loaded into SSM Compliance"):
            for node, name in reports.items():
                loaded = load_sample(self.stack.aws.url, node, name)
                expect(f"failed results of {name}", loaded.non_compliant, self.failed[name])
                table.add_row(node, name, str(loaded.non_compliant))
        self.console.print(table)
        with self.console.status("the association event reaches ec2-inspec-scan"):
            answer = self.handlers.scan(began, {"Success": len(reports)})
        (made,) = answer["passes"]
        facts = {
            "opened": made["opened"],
            "resolved": made["resolved"],
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
        messages = self.stack.slack.messages()
        new = messages[self.seen :]
        self.console.print("In Slack:", style="bold")
        self.console.print(transcript(new))
        expect("new messages in Slack", len(new), count)
        self.seen = len(messages)
        return new

    def show_csv(self, message: Message) -> int:
        """Print the first rows of a thread's CSV; returns the number of rows."""
        (file,) = message.files
        rows = list(csv.DictReader(io.StringIO(file.content.decode("utf-8-sig"))))
        table = Table("instance_id", "severity", "title", title=f"{file.name}: {len(rows)} rows")
        for row in rows[:CSV_ROWS_SHOWN]:
            table.add_row(*(Text(row[name]) for name in ("instance_id", "severity", "title")))
        self.console.print(table)
        return len(rows)

    def keep(self, name: str, message: Message) -> None:
        """Keep a CSV for the reader to open."""
        (self.folder / name).write_bytes(message.files[0].content)


def header(message: Message) -> str:
    """The text of a message's header block."""
    headers = [block["text"]["text"] for block in message.blocks if block["type"] == "header"]
    return str(headers[0]) if headers else ""
