"""Invocations that something interrupts, and what must be so in the end."""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from chalicelib.domain.errors import ServiceError
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.message import Step
from chalicelib.usecases.run import run_scans
from tests.fleet import HOUR, MINUTE, START, Service, make_snooze
from tests.reliability.crashing import CrashedError, Fuse, wired

LAMBDA = timedelta(minutes=15)
EVENT_RETRY = timedelta(minutes=1)
# Reconcile runs until everything that takes its time is over: leases, the hour of a gone node.
RECONCILES = 8
# With so many rows of another node in the table, changed nodes are looked up by the index.
UNTOUCHED = [f"untouched {number}" for number in range(1_000)]


@dataclass
class Story:
    """What happens to a service in the invocation that dies, and what must be so in the end."""

    service: Service
    job: Job
    stored: list[str]
    announced: list[str]
    nodes: list[str]
    never: list[str] = field(default_factory=list)
    reports: int = 0


def scan_story() -> Story:
    """Findings open, resolve, are kept quiet and wake up; one node is new and one leaves."""
    service = Service()
    service.report("i-1", "stays", "fixed", "fixed too")
    service.report("i-2", "wakes up")
    service.report("i-3", "leaves")
    service.report("i-9", *UNTOUCHED)
    service.enqueue("a-1")
    service.run()
    for made in (
        make_snooze(id="s-1", title="fixed", until_resolved=True, ends_at=None),
        make_snooze(id="s-2", instance_id="i-2", title="wakes up", ends_at=START + HOUR),
        make_snooze(id="s-3", instance_id=None, title="kept quiet"),
    ):
        service.ledger.snoozes[made.id] = made
    service.clock.forward(2 * HOUR)
    service.report("i-1", "stays", "opened", "kept quiet", run="run-2")
    service.report("i-4", "opened on a new node")
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
            ["kept quiet", "opened", "opened on a new node", "stays", "wakes up", *UNTOUCHED]
        ),
        announced=["opened", "opened on a new node", "wakes up"],
        nodes=["i-1", "i-2", "i-4", "i-9"],
        never=["kept quiet", "stays", "leaves", "fixed"],
    )


def monthly_story() -> Story:
    """The month is to be reported, and a scan has something to tell at the same time."""
    service = Service()
    service.report("i-1", "A")
    service.run()
    service.report("i-1", "A", "B", run="run-2")
    now = service.clock.now
    month = Job(f"monthly#{now:%Y-%m-%d}", JobKind.MONTHLY, event_at=now, enqueued_at=now)
    return Story(service, month, stored=["A", "B"], announced=["B"], nodes=["i-1"], reports=1)


def die(story: Story, fuse: Fuse) -> None:
    """The invocation: write down what is owed, make passes, until the fuse blows."""
    service = story.service
    context = wired(service.context, fuse)
    with suppress(CrashedError, ServiceError):
        context.work.enqueue(story.job)
        run_scans(context, service.clock.now + LAMBDA)


def interrupted(service: Service, fuse: Fuse) -> list[str]:
    """Passes of one invocation, until the fuse blows; the calls that were made."""
    with suppress(CrashedError, ServiceError):
        run_scans(wired(service.context, fuse), service.clock.now + LAMBDA)
    return fuse.calls


def recover(story: Story) -> None:
    """What happens by itself afterwards: Lambda tries again, reconcile comes every 15 minutes."""
    service = story.service
    service.clock.forward(EVENT_RETRY)
    die(story, Fuse())
    for _ in range(RECONCILES):
        service.clock.forward(LAMBDA + MINUTE)
        run_scans(service.context, service.clock.now + LAMBDA)


def unrecorded(service: Service) -> int:
    """Posts that Slack accepted and we had not yet recorded when the program died."""
    messages = [*service.ledger.messages.values(), *service.ledger.sent.values()]
    return len(service.messages) - sum(Step.POST in message.done for message in messages)


def faults(story: Story, said_before: int, doubles: int) -> list[str]:
    """What is not as it was promised."""
    service = story.service
    ledger = service.ledger
    said = service.messages[said_before:]
    told = Counter(title for text in said for title in text.partition(": ")[2].split(","))
    reports = sum(text.startswith("monthly") for text in said)
    months = [key for key in service.files.objects if key.startswith("monthly/")]
    found = []
    if not story.reports <= reports <= story.reports + doubles or len(months) != story.reports:
        found.append(f"{reports} monthly reports, stored {months}")
    if service.list_titles() != story.stored:
        found.append(f"stored or not: {sorted(set(service.list_titles()) ^ set(story.stored))}")
    if sorted(node.instance_id for node in service.nodes.all()) != story.nodes:
        found.append(f"known {service.nodes.all()}")
    found += [f"{title} was lost" for title in story.announced if told[title] == 0]
    found += [
        f"{title} told {told[title]} times"
        for title in story.announced
        if told[title] > 1 + doubles
    ]
    found += [f"{title} was told" for title in story.never if told[title]]
    left = {
        "jobs": ledger.jobs,
        "messages": ledger.messages,
        "open marks": ledger.unannounced_scans,
    }
    found += [f"{what} left: {rows}" for what, rows in left.items() if rows]
    found += [f"held by {ledger.lease}"] if ledger.lease else []
    return found
