"""Invocations that something interrupts, and the promises that must hold afterwards."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from chalicelib.domain.errors import ServiceError
from chalicelib.domain.scan import Job, JobKind
from chalicelib.usecases.context import Bounds
from chalicelib.usecases.run import run_scans
from tests.fleet import HOUR, MINUTE, START, TYPE, Service, make_item
from tests.reliability.consistency import find_output_errors
from tests.reliability.crashing import CrashedError, Fuse, add_fuse
from tests.webhook import Receiver

LAMBDA = timedelta(minutes=15)
EVENT_RETRY = timedelta(minutes=1)
# `reconcile` runs until everything that takes time is over: leases, the hour of a gone node.
RECONCILES = 8
DEFAULT_BOUNDS = Bounds()
# With the rows of another node in the table, changed nodes are looked up through the index.
UNTOUCHED = [f"untouched {number}" for number in range(1_000)]


@dataclass
class Story:
    """A service, the job of the invocation that is interrupted, and what must be so in the end.

    stored: titles · unchecked: titles to be remembered · announced: titles to be announced
    once · silent: titles not to be announced · nodes: instance ids · months: monthly reports
    to be posted.
    """

    service: Service
    job: Job
    stored: list[str]
    announced: list[str]
    nodes: list[str]
    silent: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    months: int = 0


def make_scan_story(bounds: Bounds = DEFAULT_BOUNDS) -> Story:
    """Findings appear, are fixed and snoozed, a snooze ends, one node is new and one leaves.

    Others vanish without proof of a fix, fail again after that, become worse, or are worded
    otherwise.
    """
    service = Service(webhook=Receiver(), bounds=bounds)
    service.report("i-1", "unchanged", "fixed", "fixed too", "vanishes", "vanishes too")
    service.report("i-6", "back", "worse", severity="LOW")
    report_wording(service, "is expected to be kept", run="run-1")
    service.report("i-2", "snooze ends")
    service.report("i-3", "gone")
    service.report("i-9", *UNTOUCHED)
    service.enqueue("a-1")
    service.run()
    service.report("i-6", "worse", run="run-2", passed=[], severity="LOW")
    service.run()
    service.add_snooze(id="s-1", title="fixed", until_resolved=True, ends_at=None)
    service.add_snooze(id="s-2", instance_id="i-2", title="snooze ends", ends_at=START + HOUR)
    service.add_snooze(id="s-3", instance_id=None, title="snoozed")
    service.clock.forward(2 * HOUR)
    passed = ["fixed", "fixed too"]
    service.report("i-1", "unchanged", "new", "snoozed", run="run-2", passed=passed)
    service.report("i-6", "back", "worse", run="run-3")
    report_wording(service, "should be kept", run="run-2")
    service.report("i-4", "new on a new node")
    service.compliance.remove("i-3")
    now = service.clock.now
    return Story(
        service,
        Job(
            key=f"a-1#{now.isoformat()}",
            kind=JobKind.EXECUTION,
            event_at=now,
            enqueued_at=now,
            association_id="a-1",
            status="Success",
            executed_at=now,
            nodes={"Success": 3},
        ),
        stored=sorted(
            [
                *("new", "new on a new node", "snooze ends", "snoozed", "unchanged"),
                *("back", "worse", "W should be kept", *UNTOUCHED),
            ]
        ),
        announced=["new", "new on a new node", "snooze ends", "back", "worse"],
        nodes=["i-1", "i-2", "i-4", "i-6", "i-7", "i-9"],
        silent=["snoozed", "unchanged", "gone", "fixed", "vanishes", "W should be kept"],
        unchecked=["vanishes", "vanishes too"],
    )


def report_wording(service: Service, words: str, run: str) -> None:
    """Lets a node fail one check in these words. Its only item has the first running index."""
    item = make_item(f"W {words}", execution=run, item_id="w-0")
    service.compliance.put("i-7", TYPE, run, service.clock.now, [item], compliant=0)


def make_monthly_story() -> Story:
    """A month is due while a scan has something to announce."""
    service = Service(webhook=Receiver())
    service.report("i-1", "A")
    service.run()
    service.report("i-1", "A", "B", run="run-2")
    now = service.clock.now
    month = Job(f"monthly#{now:%Y-%m-%d}", JobKind.MONTHLY, event_at=now, enqueued_at=now)
    return Story(service, month, stored=["A", "B"], announced=["B"], nodes=["i-1"], months=1)


def invoke(story: Story, fuse: Fuse) -> None:
    """Enqueues the story's job and runs scans, until the program ends or dies."""
    service = story.service
    context = add_fuse(service.context, fuse)
    with suppress(CrashedError, ServiceError):
        context.work.enqueue(story.job)
        run_scans(context, service.clock.now + LAMBDA)


def run_until_crash(service: Service, fuse: Fuse) -> list[str]:
    """Runs the scans of one invocation, until the program ends or dies. Returns its calls."""
    with suppress(CrashedError, ServiceError):
        run_scans(add_fuse(service.context, fuse), service.clock.now + LAMBDA)
    return fuse.calls


def recover(story: Story) -> None:
    """Does what follows by itself: Lambda repeats the event, `reconcile` runs as scheduled."""
    service = story.service
    service.clock.forward(EVENT_RETRY)
    invoke(story, Fuse())
    for _ in range(RECONCILES):
        service.clock.forward(LAMBDA + MINUTE)
        run_scans(service.context, service.clock.now + LAMBDA)


def find_broken_promises(story: Story, posts_before: int, duplicates: int) -> list[str]:
    """Lists what is not as promised. `duplicates` is the number of posts that may be repeated."""
    service = story.service
    ledger = service.ledger
    posts = service.messages[posts_before:]
    announced = Counter(title for text in posts for title in text.partition(": ")[2].split(","))
    months = sum(text.startswith("monthly") for text in posts)
    files = [key for key in service.files.objects if key.startswith("monthly/")]
    broken = []
    if not story.months <= months <= story.months + duplicates or len(files) != story.months:
        broken.append(f"{months} monthly reports posted, stored {files}")
    if service.list_titles() != story.stored:
        broken.append(f"stored or not: {sorted(set(service.list_titles()) ^ set(story.stored))}")
    unchecked = sorted(each.finding.title for each in service.unchecked.all())
    if unchecked != story.unchecked:
        broken.append(f"not checked: {unchecked}")
    if sorted(node.instance_id for node in service.nodes.all()) != story.nodes:
        broken.append(f"known nodes: {service.nodes.all()}")
    broken += [f"{title} was lost" for title in story.announced if announced[title] == 0]
    broken += [
        f"{title} was announced {announced[title]} times"
        for title in story.announced
        if announced[title] > 1 + duplicates
    ]
    broken += [f"{title} was announced" for title in story.silent if announced[title]]
    unfinished = {
        "jobs": ledger.jobs,
        "messages": ledger.messages,
        "marks": ledger.marks,
    }
    broken += [f"unfinished {what}: {rows}" for what, rows in unfinished.items() if rows]
    broken += [
        f"the snooze {each.id} outlived the fix"
        for each in ledger.snoozes.values()
        if each.until_resolved and each.ended_at is None and each.title in story.silent
    ]
    broken += find_output_errors(service)
    broken += [f"the lease is held by {ledger.lease}"] if ledger.lease else []
    return broken
