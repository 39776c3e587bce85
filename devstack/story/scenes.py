"""The scenes of the story: nodes report, findings change, snoozes end, a month ends."""

from contextlib import closing
from dataclasses import dataclass, field

from rich.table import Table

from devstack.aws.session import make_session
from devstack.inspec.loader import FLEET
from devstack.story.narrator import Narrator, read_csv_rows, read_header
from devstack.story.snooze_scenes import SnoozeScenes

# The roles of the four nodes of the fleet.
FIXED, BROKEN, UNCHECKED, WORN = FLEET
SWAPPED = FLEET | {FIXED: FLEET[BROKEN], BROKEN: FLEET[FIXED]}


@dataclass(slots=True)
class Story:
    """The story. `open` counts the findings that are stored after the last scene."""

    narrator: Narrator
    snoozes: SnoozeScenes
    open: int = field(default=0, init=False)

    def play(self) -> None:
        """Play every scene, in order. Raises `StoryError` at the first wrong count."""
        scenes = (
            ("Four nodes report, all is new", self.play_first_scan),
            ("Same results, nothing is new", self.play_second_scan),
            ("One node is fixed, one breaks", self.play_changed_nodes),
            ("A snoozed title fails again", self.play_snooze),
            ("The snoozes end", self.play_end_of_snoozes),
            ("One node cannot be checked", self.play_unchecked_node),
            ("The month ends", self.play_month),
        )
        for title, play_scene in scenes:
            self.narrator.open_scene(title)
            play_scene()

    def play_first_scan(self) -> None:
        """Every failed check is a new finding."""
        narrator = self.narrator
        self.open = sum(narrator.failed[name] for name in FLEET.values())
        scan = narrator.report_and_scan(FLEET)
        narrator.expect("new findings", scan["findings_new"], self.open)
        (message, reply) = narrator.read_new_messages(2)
        narrator.expect("CSV rows", narrator.print_csv(reply), self.open)
        headline = f"{self.open} new non-compliant findings"
        narrator.expect("header", read_header(message), headline)

    def play_second_scan(self) -> None:
        """The same results give a short message. Nothing is announced twice."""
        narrator = self.narrator
        scan = narrator.report_and_scan(FLEET)
        narrator.expect("new findings", scan["findings_new"], 0)
        narrator.expect("open findings", scan["open"], self.open)
        (message,) = narrator.read_new_messages(1)
        narrator.expect("header", read_header(message), "No new non-compliant findings")

    def play_changed_nodes(self) -> None:
        """Fixed findings leave the table, new ones are announced."""
        narrator = self.narrator
        scan = narrator.report_and_scan(SWAPPED)
        moved = narrator.failed["amazon-bad"] - narrator.failed["amazon-good"]
        narrator.expect("new findings", scan["findings_new"], moved)
        narrator.expect("fixed findings", scan["findings_fixed"], moved)
        narrator.expect("open findings", scan["open"], self.open)
        (message, reply, changes) = narrator.read_new_messages(3)
        left = [row["change"] for row in read_csv_rows(changes)]
        narrator.expect("the CSV of changes", left, ["fixed"] * moved)
        nodes = {row["instance_id"] for row in read_csv_rows(reply)}
        narrator.expect("nodes in the CSV", nodes, {BROKEN})
        narrator.expect("header", read_header(message), f"{moved} new non-compliant findings")

    def play_snooze(self) -> None:
        """A snoozed finding is stored and counted, but not announced as new."""
        self.open += self.snoozes.play_snooze(SWAPPED, UNCHECKED, WORN)

    def play_end_of_snoozes(self) -> None:
        """The end of a snooze is announced once, with its author and its reason."""
        self.snoozes.play_end(BROKEN)

    def play_unchecked_node(self) -> None:
        """A node without results fixes nothing, and the message says so."""
        narrator = self.narrator
        scan = narrator.report_and_scan(SWAPPED | {UNCHECKED: "unsupported-platform"})
        narrator.expect("fixed findings", scan["findings_fixed"], 0)
        narrator.expect("open findings", scan["open"], self.open)
        (message,) = narrator.read_new_messages(1)
        narrator.expect("header", read_header(message), "Scan incomplete")

    def play_month(self) -> None:
        """All stored findings go to Slack and S3."""
        narrator = self.narrator
        with narrator.console.status("Running monthly-alert"):
            narrator.handlers.report_month()
        (_, reply) = narrator.read_new_messages(2)
        narrator.expect("CSV rows", narrator.print_csv(reply), self.open)
        bucket = narrator.stack.resources.reports_bucket
        with closing(make_session().client("s3", endpoint_url=narrator.stack.aws.url)) as s3:
            objects = s3.list_objects_v2(Bucket=bucket)["Contents"]
            monthly = [each for each in objects if each["Key"].startswith("monthly/")]
            narrator.expect("monthly objects in S3", len(monthly), 1)
            stored = s3.get_object(Bucket=bucket, Key=monthly[0]["Key"])["Body"].read()
        table = Table("object in S3", "bytes", box=None)
        for each in objects:
            table.add_row(each["Key"], f"{each['Size']:,}")
        narrator.console.print(table)
        narrator.expect("the object in S3", stored, reply.files[0].content)
