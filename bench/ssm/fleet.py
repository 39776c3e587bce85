"""A seeded fleet: what each node reports, and how that changes from run to run."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
# Titles are as long as those of real profiles, a control with the text of one of its tests.
_TAIL = "File /etc/ssh/sshd_config is expected to be configured as the baseline asks"


def instance_id(number: int) -> str:
    """The id of a node: as long as real ones."""
    return f"i-{number:017x}"


def title(control: int) -> str:
    """The title of a control."""
    return f"Control {control} must hold : {_TAIL}"


@dataclass(frozen=True, slots=True)
class Reported:
    """What a node reported last: its run, when that was, and the controls that failed."""

    run: int
    at: float
    controls: tuple[int, ...]


@dataclass(slots=True)
class Fleet:
    """All nodes, by number. Every change is a new run of the nodes that it touches.

    `restless`: after every so many listings of items, the node that was listed runs again,
    before the next page of it can be asked for. 0: the fleet keeps still.
    """

    seed: int = 0
    clock: Callable[[], float] = time.time
    run: int = 0
    nodes: dict[int, Reported] = field(default_factory=dict)
    restless: int = 0
    _listings: int = 0
    # the next control that no node has failed before
    _unused: int = 0

    def first(self, groups: Sequence[tuple[int, int]]) -> None:
        """Let a new fleet report: of each group so many nodes with so many findings each."""
        self.run += 1
        self._unused = max(self._unused, *(each for _, each in groups))
        sizes = [each for number, each in groups for _ in range(number)]
        self.nodes = {node: self._reported(tuple(range(each))) for node, each in enumerate(sizes)}

    def change(self, share: float) -> None:
        """Let this share of all findings be resolved and as many open, each on another node."""
        self.run += 1
        chooser = random.Random(f"{self.seed}-{self.run}")  # noqa: S311 - a seed is wanted
        failing = [node for node, shown in self.nodes.items() if shown.controls]
        total = sum(len(self.nodes[node].controls) for node in failing)
        number = max(1, round(total * share))
        for node in chooser.sample(failing, min(number, len(failing))):
            self._move(node)

    def one(self) -> None:
        """Let one node change."""
        self.run += 1
        self._move(min(self.nodes))

    def again(self) -> None:
        """Let every node run again and report the same."""
        self.run += 1
        self.nodes = {node: self._reported(shown.controls) for node, shown in self.nodes.items()}

    def resolve_all(self) -> None:
        """Let every node pass everything."""
        self.run += 1
        self.nodes = {node: self._reported(()) for node in self.nodes}

    def listed(self, node: int) -> None:
        """A page of this node's items went out; a restless fleet may move now."""
        self._listings += 1
        if self.restless and self._listings % self.restless == 0:
            self.run += 1
            self._move(node)

    @property
    def open(self) -> int:
        """How many findings all nodes have."""
        return sum(len(shown.controls) for shown in self.nodes.values())

    def _move(self, node: int) -> None:
        """Resolve a node's first finding and open a new one."""
        self.nodes[node] = self._reported((*self.nodes[node].controls[1:], self._unused))
        self._unused += 1

    def _reported(self, controls: tuple[int, ...]) -> Reported:
        return Reported(self.run, self.clock(), controls)
