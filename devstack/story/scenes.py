"""The main job as a story: nodes, scans, snoozes, a month. Each scene asserts what it shows."""

from contextlib import closing
from dataclasses import dataclass, field

from rich.table import Table

from devstack.aws.session import make_session
from devstack.inspec.loader import FLEET
from devstack.story.narrator import Narrator, expect, read_csv_rows, read_header
from devstack.story.snooze_scenes import SnoozeScenes

REPAIRED, BROKEN, DOUBTFUL, WORN = FLEET
SWAPPED = FLEET | {REPAIRED: FLEET[BROKEN], BROKEN: FLEET[REPAIRED]}


@dataclass(slots=True)
class Story:
    """The scenes; `open` counts the findings that are stored after the last one."""

    telling: Narrator
    snoozes: SnoozeScenes
    open: int = field(default=0, init=False)

    def play(self) -> None:
        """Play every scene, in order."""
        scenes = (
            ("Four nodes report, and everything is new", self.first_scan),
            ("The same reports again: nothing is new", self.second_scan),
            ("One host is repaired, another one breaks", self.third_scan),
            ("A title is snoozed before it fails on another host", self.snoozed_scan),
            ("Snoozes end, and what still fails is told once", self.snoozes_end),
            ("On one host no check can run: that is no all-clear", self.doubtful_scan),
            ("The month ends", self.month),
        )
        for number, (title, scene) in enumerate(scenes, 1):
            self.telling.console.rule(f"[bold]{number}. {title}", align="left")
            scene()
            self.telling.console.print()

    def first_scan(self) -> None:
        """Everything that fails is new."""
        self.open = sum(self.telling.failed[name] for name in FLEET.values())
        made = self.telling.report_and_scan(FLEET)
        expect("new findings", made["findings_new"], self.open)
        (message, file) = self.telling.said(2)
        expect("CSV rows", self.telling.show_csv(file), self.open)
        self.telling.keep("first-alert.csv", file)
        expect("header", read_header(message), f"{self.open} new non-compliant findings")

    def second_scan(self) -> None:
        """The answer is short, and nothing is told twice."""
        made = self.telling.report_and_scan(FLEET)
        expect("new findings", made["findings_new"], 0)
        expect("open findings", made["open"], self.open)
        (message,) = self.telling.said(1)
        expect("header", read_header(message), "No new non-compliant findings")

    def third_scan(self) -> None:
        """What was repaired leaves the store, what broke is told."""
        made = self.telling.report_and_scan(SWAPPED)
        moved = self.telling.failed["amazon-bad"] - self.telling.failed["amazon-good"]
        expect("new findings", made["findings_new"], moved)
        expect("resolved findings", made["findings_fixed"], moved)
        expect("open findings", made["open"], self.open)
        (message, file) = self.telling.said(2)
        expect("nodes in the CSV", {row["instance_id"] for row in read_csv_rows(file)}, {BROKEN})
        expect("header", read_header(message), f"{moved} new non-compliant findings")

    def snoozed_scan(self) -> None:
        """What is snoozed is stored and counted, and not told as new."""
        self.open += self.snoozes.before_it_fails(SWAPPED, DOUBTFUL, WORN)

    def snoozes_end(self) -> None:
        """The end of a snooze is told once, with who set it and why."""
        self.snoozes.until_they_end(BROKEN)

    def doubtful_scan(self) -> None:
        """Nothing is resolved without proof, and the doubt is told."""
        made = self.telling.report_and_scan(SWAPPED | {DOUBTFUL: "unsupported-platform"})
        expect("resolved findings", made["findings_fixed"], 0)
        expect("open findings", made["open"], self.open)
        (message,) = self.telling.said(1)
        expect("header", read_header(message), "Scan incomplete")

    def month(self) -> None:
        """Everything stored goes to Slack and S3."""
        telling = self.telling
        with telling.console.status("monthly-alert runs"):
            telling.handlers.report_month()
        (_, file) = telling.said(2)
        expect("CSV rows", telling.show_csv(file), self.open)
        bucket = telling.stack.resources.reports_bucket
        with closing(make_session().client("s3", endpoint_url=telling.stack.aws.url)) as s3:
            listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
            monthly = [each for each in listed if each["Key"].startswith("monthly/")]
            expect("monthly objects in S3", len(monthly), 1)
            stored = s3.get_object(Bucket=bucket, Key=monthly[0]["Key"])["Body"].read()
        table = Table("S3 object", "bytes", box=None)
        for each in listed:
            table.add_row(f"s3://{bucket}/{each['Key']}", f"{each['Size']:,}")
        telling.console.print(table)
        expect("the object in S3", stored, file.files[0].content)
        telling.keep("monthly.csv", file)
