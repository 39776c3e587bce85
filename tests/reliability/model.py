"""What people should have been announced: a model that knows no watermarks, marks or messages."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.message import Message, Step
from chalicelib.domain.snooze import Snooze
from tests.fleet import Service

# A title of a finding in these tests is `<instance id>/<letter>`; others are no part of it.
SEPARATOR = "/"


@dataclass
class Model:
    """What happened to the inbox, as seen from outside; `observe` after whatever happened.

    episodes counts how often a title came into the store. since is when it last
    did, and how much had been said by then; resolved is when it last left.
    doubles are posts that Slack took and we did not record.
    """

    service: Service
    episodes: Counter[str] = field(default_factory=Counter)
    since: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    said_at: list[datetime] = field(default_factory=list)
    resolved: dict[str, datetime] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)
    doubles: int = 0

    def observe(self, began: datetime) -> set[str]:
        """Take note of what happened since `began`; the titles that left the store."""
        titles = (finding.title for finding in self.service.findings.all())
        now_stored = {title for title in titles if SEPARATOR in title}
        for title in now_stored - self.stored:
            self.episodes[title] += 1
            self.since[title] = (began, len(self.said_at))
        left = self.stored - now_stored
        self.resolved.update(dict.fromkeys(left, began))
        self.stored = now_stored
        new = len(self.service.messages) - len(self.said_at)
        self.said_at += [self.service.clock.now] * new
        self.doubles += self.unrecorded() - self.doubles
        return left

    def unrecorded(self) -> int:
        """Posts that were accepted and are not recorded; a superseded one was never made."""
        receipts = [message.done.get(Step.POST, "") for message in messages_of(self.service)]
        return len(self.service.messages) - sum(each.startswith("thread") for each in receipts)

    def wrongs(self) -> list[str]:
        """What people were not told, or told too often, now that it is quiet."""
        now = self.service.clock.now
        snoozes = self.service.ledger.snoozes.values()
        found = []
        for title in sorted(self.stored):
            about = covering(snoozes, title)
            if any(mutes(each, now) for each in about):
                continue
            began, index = self.since[title]
            if self.announced(title, index) == 0:
                found.append(f"{title} was never told")
            ends = [
                end
                for each in about
                for end in [min(filter(None, (each.ends_at, each.ended_at)))]
                if end > began
            ]
            if ends and not self.announced_at_or_after(title, max(ends)):
                found.append(f"{title} was not told when its snooze ended")
        for each in snoozes:
            fixed = self.resolved.get(each.title or "")
            if each.until_resolved and mutes(each, now) and fixed and fixed > each.created_at:
                found.append(f"the snooze of {each.title} outlived the fix")
        for title, times in announced_in(self.service.messages).items():
            ended = len(covering(snoozes, title))
            if times > self.episodes[title] + ended + self.doubles:
                found.append(f"{title} was told {times} times")
        return found

    def announced(self, title: str, index: int) -> int:
        """How often a title was told behind so many posts."""
        return announced_in(self.service.messages[index:])[title]

    def announced_at_or_after(self, title: str, when: datetime) -> bool:
        """Whether a post of then or later tells a title."""
        posts = zip(self.said_at, self.service.messages, strict=True)
        return any(title in announced_in([text]) for at, text in posts if at >= when)


def messages_of(service: Service) -> list[Message]:
    """Every message that was ever staged."""
    return [*service.ledger.messages.values(), *service.ledger.sent.values()]


def muted_and_announced(service: Service, message: Message) -> set[str]:
    """The titles of a message that a snooze mutes at the message's own instant."""
    return {
        title
        for title in announced_in([message.rendered.text])
        for each in covering(service.ledger.snoozes.values(), title)
        if mutes(each, message.created_at)
    }


def mutes(snooze: Snooze, now: datetime) -> bool:
    """Whether a snooze has begun and not ended; said here once more, not asked of the program."""
    ends = [end for end in (snooze.ends_at, snooze.ended_at) if end is not None]
    return snooze.starts_at <= now and all(now < end for end in ends)


def covering(snoozes: Iterable[Snooze], title: str) -> list[Snooze]:
    """The snoozes that are about the finding of this title."""
    node = title.partition(SEPARATOR)[0]
    return [
        each
        for each in snoozes
        if each.scope.instance_id in (None, node) and each.scope.title in (None, title)
    ]


def announced_in(said: Sequence[str]) -> Counter[str]:
    """How often each title stands in these messages."""
    lists = (text.partition(": ")[2] for text in said)
    return Counter(title for text in lists for title in text.split(",") if SEPARATOR in title)
