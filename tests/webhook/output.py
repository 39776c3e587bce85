"""The output: messages and facts as JSON, through a function that posts a body."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.finding import Finding
from chalicelib.domain.history import Fact
from chalicelib.domain.message import Message
from chalicelib.usecases.ports import ReadCsv, StepReceipt

# Posts a body to a path. Raises `DeliveryError`.
Post = Callable[[str, bytes], None]


@dataclass(frozen=True, slots=True)
class WebhookMessages:
    """`Output` with one step: a message's numbers and the lines of its files."""

    post: Post
    address: str

    @property
    def name(self) -> str:
        """`webhook`."""
        return "webhook"

    def list_steps(self, message: Message) -> tuple[str, ...]:  # noqa: ARG002 - the same for all
        """One."""
        return ("webhook.send",)

    def take(self, step: str, message: Message, read_csv: ReadCsv) -> StepReceipt:  # noqa: ARG002 - there is one
        """Posts the message."""
        files = {file.name: b"".join(read_csv(file)).decode() for file in message.files}
        self.post("/messages", encode({"id": message.id, "files": files}))
        return StepReceipt(message.id)

    def identity(self) -> str:
        """Changes with the address."""
        return hashlib.sha256(self.address.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class WebhookFacts:
    """`FactOutput`: the open findings at first, then each fact."""

    post: Post
    address: str

    @property
    def name(self) -> str:
        """`webhook-facts`."""
        return "webhook-facts"

    def start(self, findings: Iterable[Finding]) -> None:
        """Posts every open finding."""
        self.post("/start", encode([each.finding_id for each in findings]))

    def send(self, facts: Sequence[Fact]) -> None:
        """Posts facts."""
        rows = [
            {
                "number": each.number,
                "kind": each.key.kind,
                "finding_id": each.key.finding_id,
                "instance_id": each.instance_id,
                "title": each.finding.title if each.finding else None,
            }
            for each in facts
        ]
        self.post("/facts", encode(rows))

    def identity(self) -> str:
        """Changes with the address."""
        return hashlib.sha256(self.address.encode()).hexdigest()[:16]


def encode(value: Any) -> bytes:
    """Returns JSON."""
    return json.dumps(value).encode()
