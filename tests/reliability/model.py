"""What the channel should have got: a model that knows no watermarks, marks or messages."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from chalicelib.domain.announcement import Topic
from chalicelib.domain.finding import Severity, finding_id
from chalicelib.domain.history import EventKind
from chalicelib.domain.message import Message
from chalicelib.domain.snooze import Snooze
from tests.fleet import DAY, Service

# The model knows findings whose title is `<instance id>/<letter>`, and ignores all others.
SEPARATOR = "/"
LEFT = (EventKind.FIXED, EventKind.GONE)


@dataclass
class Model:
    """What happened to the service, seen from outside. Call `observe` after every event.

    appearances: how often a title was new in the store, or worse · stored_since: when it
    last was new, and the number of posts at that time · removed_at: when it last left the
    store for good, fixed or gone · stored: the titles in the store · unchecked: those that
    are remembered · severities: the worst of both · present: the
    severities of those in the store · worsened: those that were less severe
    once · fixed: titles that were just called fixed, to when they were last new ·
    posted_at: the time of every post · duplicates: posts that Slack accepted and that were
    not recorded · last_fact: the first number of the last row of facts that was looked at ·
    nodes: those that are stored · left_at: when nodes left that are not · resolving:
    `until_resolved` snoozes to the last fact before they were made, while their finding was
    stored.
    """

    service: Service
    appearances: Counter[str] = field(default_factory=Counter)
    stored_since: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    removed_at: dict[str, datetime] = field(default_factory=dict)
    unchecked: set[str] = field(default_factory=set)
    severities: dict[str, Severity] = field(default_factory=dict)
    present: dict[str, Severity] = field(default_factory=dict)
    worsened: set[str] = field(default_factory=set)
    fixed: dict[str, datetime] = field(default_factory=dict)
    posted_at: list[datetime] = field(default_factory=list)
    stored: set[str] = field(default_factory=set)
    duplicates: int = 0
    last_fact: int = 0
    nodes: set[str] = field(default_factory=set)
    left_at: dict[str, datetime] = field(default_factory=dict)
    resolving: dict[str, int] = field(default_factory=dict)

    def note_snooze(self, snooze: Snooze) -> None:
        """Notes a snooze that was just made or changed."""
        if snooze.until_resolved and self.service.findings.get([snooze.scope.id]):
            last = self.service.ledger.last_fact.number
            self.resolving.setdefault(snooze.id, last)

    def forget_severities(self, node: str) -> None:
        """Forgets how severe the open findings of a node were before."""
        for row in self.service.findings.all():
            if row.instance_id == node and row.title in self.severities:
                self.severities[row.title] = row.severity

    def observe(self, began: datetime) -> set[str]:
        """Notes what happened since `began`, and returns the titles that left the store."""
        found = {row.title: row for row in self.service.findings.all() if SEPARATOR in row.title}
        stored_now = set(found)
        unchecked = {row.finding.title for row in self.service.unchecked.all()}
        for title in stored_now - self.stored - self.unchecked:
            self.appearances[title] += 1
            self.stored_since[title] = (began, len(self.posted_at))
        self.present = {title: row.severity for title, row in found.items()}
        for title, row in found.items():
            worst = self.severities.setdefault(title, row.severity)
            if row.severity.rank < worst.rank:
                self.severities[title] = row.severity
                self.appearances[title] += 1
                self.worsened.add(title)
        removed = self.stored - stored_now
        left = (self.stored | self.unchecked) - stored_now - unchecked
        fixed = self.list_fixed_since_the_last_time()
        ids = {finding_id(title.partition(SEPARATOR)[0], title): title for title in left}
        self.fixed = {ids[key]: self.stored_since[ids[key]][0] for key in fixed if key in ids}
        for title in left:
            # what is forgotten was not fixed, and its snooze lives on
            if title in self.stored or title in self.fixed:
                self.removed_at[title] = began
            del self.severities[title]
            self.worsened.discard(title)
        self.stored, self.unchecked = stored_now, unchecked
        nodes = {node.instance_id for node in self.service.nodes.all()}
        self.left_at.update(dict.fromkeys(self.nodes - nodes, began))
        self.left_at = {node: at for node, at in self.left_at.items() if node not in nodes}
        self.nodes = nodes
        posts = len(self.service.messages) - len(self.posted_at)
        self.posted_at += [self.service.clock.now] * posts
        self.duplicates = count_unrecorded_posts(self.service)
        return removed

    def list_fixed_since_the_last_time(self) -> set[str]:
        """Lists the ids of findings that were called fixed since this was last called."""
        rows = self.service.ledger.facts
        found = {
            key.finding_id
            for first, row in rows.items()
            if first > self.last_fact
            for key in row.list_keys(EventKind.FIXED)
        }
        self.last_fact = max(rows, default=0)
        return found

    def find_errors(self) -> list[str]:
        """Lists what was not announced or announced too often. Nothing may be pending."""
        now = self.service.clock.now
        snoozes = self.service.ledger.snoozes.values()
        errors = []
        for title in sorted(self.stored):
            covering = find_covering(snoozes, title)
            present, worst = self.present[title], self.severities[title]
            if any(is_active(each, now) and each.mutes_severity(present) for each in covering):
                continue
            began, posts = self.stored_since[title]
            if self.count_announced(title, posts) == 0:
                errors.append(f"{title} was never announced")
            # what is worse than a snooze mutes was announced before its end
            ended = [
                min(list_ends(each))
                for each in covering
                if list_ends(each) and each.mutes_severity(worst)
            ]
            ends = [end for end in ended if began < end <= now]
            if ends and not self.was_announced_since(title, max(ends)):
                errors.append(f"{title} was not announced when its snooze ended")
        for each in snoozes:
            fixed_at = self.removed_at.get(each.title or "")
            was_fixed = fixed_at is not None and fixed_at > each.created_at
            if each.until_resolved and is_active(each, now) and was_fixed:
                errors.append(f"the snooze of {each.title} outlived the fix")
        errors += [
            f"the snooze {key} outlived the fix"
            for key in self.find_outlived()
            if is_active(self.service.ledger.snoozes[key], now)
        ]
        for title, times in count_titles(self.service.messages).items():
            known = len(find_covering(snoozes, title))
            if times > self.appearances[title] + known + self.duplicates:
                errors.append(f"{title} was announced {times} times")
        return [*errors, *self.find_silence_errors()]

    def find_silence_errors(self) -> list[str]:
        """Lists nodes that left and are in no message, and a second message of silence in a day."""
        silent = sorted(
            each.created_at
            for each in list_messages(self.service)
            if each.alert and each.alert.topic is Topic.SILENT
        )
        too_often = any(later - earlier < DAY for earlier, later in pairwise(silent))
        return [
            *(
                f"nobody was told that {node} has left"
                for node in self.left_at.keys() - self.service.ledger.channel_state.leaving
                if not self.was_said_to_leave(node)
            ),
            *(["two messages of a day were about silence alone"] if too_often else []),
        ]

    def was_said_to_leave(self, node: str) -> bool:
        """Whether a message of that scan or later names a node that left, or counts it."""
        told = [
            message.alert.gone_nodes
            for message in list_messages(self.service)
            if message.alert and message.created_at >= self.left_at[node]
        ]
        # of many that left together, a message names the first
        return any(node in each.names or each.count > len(each.names) for each in told)

    def find_outlived(self) -> Iterator[str]:
        """Finds the snoozes whose finding left after they were made, as facts say."""
        for key, number in self.resolving.items():
            finding_id = self.service.ledger.snoozes[key].scope.id
            rows = (row for row in self.service.ledger.facts.values() if row.first > number)
            left = (event for row in rows for event in row.list_keys(*LEFT))
            if any(event.finding_id == finding_id for event in left):
                yield key

    def count_announced(self, title: str, posts: int) -> int:
        """Counts how often a title was announced after this number of posts."""
        return count_titles(self.service.messages[posts:])[title]

    def was_announced_since(self, title: str, when: datetime) -> bool:
        """Whether a post of this time or later announces a title."""
        posts = zip(self.posted_at, self.service.messages, strict=True)
        return any(title in count_titles([text]) for at, text in posts if at >= when)


def list_messages(service: Service) -> list[Message]:
    """Lists every message that was ever staged."""
    return [*service.ledger.messages.values(), *service.ledger.sent.values()]


def count_unrecorded_posts(service: Service) -> int:
    """Counts posts that Slack accepted and nobody recorded. A superseded message has no post."""
    messages = list_messages(service)
    receipts = [receipt for message in messages for receipt in message.done.values()]
    return len(service.messages) - sum(":thread" in each for each in receipts)


def find_muted_titles(service: Service, message: Message, worsened: AbstractSet[str]) -> set[str]:
    """Finds the titles of a message that a snooze muted when the message was created.

    The snooze of a pair does not mute that it got worse.
    """
    titles = [each.title for each in message.alert.titles] if message.alert else []
    return {
        title
        for title in titles
        for each in find_covering(service.ledger.snoozes.values(), title)
        if is_active(each, message.created_at) and not (each.scope.is_pair and title in worsened)
    }


def is_active(snooze: Snooze, now: datetime) -> bool:
    """Whether a snooze has begun and not ended. Written anew, so that it checks the program."""
    return snooze.starts_at <= now and all(now < end for end in list_ends(snooze))


def list_ends(snooze: Snooze) -> list[datetime]:
    """Lists the times at which a snooze ends: by time, by hand or by a fix."""
    return [end for end in (snooze.ends_at, snooze.ended_at) if end is not None]


def find_covering(snoozes: Iterable[Snooze], title: str) -> list[Snooze]:
    """Finds the snoozes that cover the finding with this title."""
    node = title.partition(SEPARATOR)[0]
    return [
        each
        for each in snoozes
        if each.scope.instance_id in (None, node) and each.scope.title in (None, title)
    ]


def count_titles(messages: Sequence[str]) -> Counter[str]:
    """Counts how often each title is in these messages."""
    lists = (text.partition(": ")[2] for text in messages)
    return Counter(title for text in lists for title in text.split(",") if SEPARATOR in title)
