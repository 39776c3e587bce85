"""The output: messages and facts as JSON, files as they are."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from msgspec import Struct

from chalicelib.domain.finding import Finding
from chalicelib.domain.history import Fact
from chalicelib.domain.message import Message
from chalicelib.usecases.ports import ReadCsv, StepReceipt

SEND: Final = "webhook.send"
FILE: Final = "webhook.file:"


class Poster(Protocol):
    """What is posted to. Raises `DeliveryError`."""

    @property
    def address(self) -> str:
        """Where it is."""

    def post(self, path: str, body: bytes) -> None:
        """Posts a body."""


class WebhookMessages(Struct, frozen=True):
    """`Output`: a message as JSON, then each of its files."""

    receiver: Poster

    @property
    def name(self) -> str:
        """`webhook`."""
        return "webhook"

    def list_steps(self, message: Message) -> tuple[str, ...]:
        """The message, then each file."""
        return (SEND, *(f"{FILE}{file.name}" for file in message.files))

    def take(self, step: str, message: Message, read_csv: ReadCsv) -> StepReceipt:
        """Posts the message or a file."""
        if step == SEND:
            self.receiver.post("/messages", encode({"id": message.id}))
            return StepReceipt(message.id)
        file = message.get_file(step.removeprefix(FILE))
        self.receiver.post(f"/files/{file.name}", b"".join(read_csv(file)))
        return StepReceipt(file.name)

    def identity(self) -> str:
        """Changes with the address."""
        return shorten(self.receiver.address)


class WebhookFacts(Struct, frozen=True):
    """`FactOutput`: the open findings at first, then each fact."""

    receiver: Poster

    @property
    def name(self) -> str:
        """`webhook-facts`."""
        return "webhook-facts"

    def start(self, findings: Iterable[Finding]) -> None:
        """Posts every open finding."""
        self.receiver.post("/start", encode([each.finding_id for each in findings]))

    def send(self, facts: Sequence[Fact]) -> None:
        """Posts facts."""
        rows = [
            {
                "number": each.number,
                "kind": each.key.kind,
                "finding_id": each.key.finding_id,
                "instance_id": each.instance_id,
                "title": each.finding.title if each.finding else None,
                "former_ids": each.finding.former_ids if each.finding else (),
            }
            for each in facts
        ]
        self.receiver.post("/facts", encode(rows))

    def identity(self) -> str:
        """Changes with the address."""
        return shorten(self.receiver.address)


def encode(value: Any) -> bytes:
    """Returns JSON."""
    return json.dumps(value).encode()


def shorten(address: str) -> str:
    """Returns a digest."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]
