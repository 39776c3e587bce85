"""A seeded fleet: what each node reports, and how that changes from run to run."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
# Titles are as long as those of real profiles, a control with the text of one of its tests.
_TAIL = "File /etc/ssh/sshd_config is expected to be configured as the baseline asks"


def instance_id(number: int) -> str:
    """The id of a node: as long as real ones."""
    return f"i-{number:017x}"


def title(control: int) -> str:
    """The title of a control."""
    return f"Control {control} must hold : {_TAIL}"


@dataclass(slots=True)
class Reported:
    """What a node reported last: its run, and the numbers of the controls that failed."""

    run: int
    controls: tuple[int, ...]


@dataclass(slots=True)
class Fleet:
    """All nodes, by number. Every change is a new run of the nodes that it touches."""

    seed: int = 0
    run: int = 0
    nodes: dict[int, Reported] = field(default_factory=dict)
    # the next control that no node has failed before
    unused: int = 0

    def first(self, nodes: int, each: int) -> None:
        """Let so many nodes report the same controls for the first time."""
        self.run += 1
        self.unused = max(self.unused, each)
        self.nodes = {node: Reported(self.run, tuple(range(each))) for node in range(nodes)}

    def change(self, share: float) -> None:
        """Let this share of all findings be resolved and as many open, each on another node."""
        self.run += 1
        chooser = random.Random(f"{self.seed}-{self.run}")  # noqa: S311 - a seed is wanted
        failing = [node for node, shown in self.nodes.items() if shown.controls]
        total = sum(len(self.nodes[node].controls) for node in failing)
        number = max(1, round(total * share))
        for node in chooser.sample(failing, min(number, len(failing))):
            self.move(node)

    def move(self, node: int) -> None:
        """Resolve a node's first finding and open a new one."""
        shown = self.nodes[node].controls
        self.nodes[node] = Reported(self.run, (*shown[1:], self.unused))
        self.unused += 1

    def one(self) -> None:
        """Let one node change."""
        self.run += 1
        self.move(min(self.nodes))

    def resolve_all(self) -> None:
        """Let every node pass everything."""
        self.run += 1
        self.nodes = {node: Reported(self.run, ()) for node in self.nodes}

    def executed_at(self, run: int) -> float:
        """When a run was, as seconds since 1970."""
        return (START + timedelta(minutes=run)).timestamp()
