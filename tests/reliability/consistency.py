"""What must be so in the store at rest: lists, findings table, facts and the channel agree."""

from collections import Counter

from chalicelib.domain.finding import OpenFinding
from chalicelib.domain.history import EventKind
from chalicelib.domain.node import count_by_severity
from chalicelib.usecases.announce.deliver import SUPERSEDED
from chalicelib.usecases.scan.apply import read_list
from tests.fleet import Service
from tests.reliability.model import list_messages
from tests.webhook.output import SEND


def find_inconsistencies(service: Service) -> list[str]:
    """Lists what does not agree. Every fact must be stored."""
    return [
        *find_list_errors(service),
        *find_fact_errors(service),
        *find_count_errors(service),
        *find_output_errors(service),
    ]


def find_list_errors(service: Service) -> list[str]:
    """Compares the list of every node with its rows in the findings table."""
    rows: dict[str, dict[str, OpenFinding]] = {}
    for finding in service.findings.all():
        entry = OpenFinding.of(finding)
        rows.setdefault(finding.instance_id, {})[entry.finding_id] = entry
    nodes = {node.instance_id: node for node in service.nodes.all()}
    errors = [f"{orphan} has findings and no row" for orphan in rows.keys() - nodes.keys()]
    for instance_id, node in nodes.items():
        listed, stored = read_list(node), rows.get(instance_id, {})
        if listed != stored:
            differing = dict(listed.items() ^ stored.items())
            errors.append(f"{instance_id}: list and table differ in {sorted(differing)}")
        if node.severities != count_by_severity(each.severity for each in listed.values()):
            errors.append(f"{instance_id}: wrong counts {node.severities}")
    return errors


def find_fact_errors(service: Service) -> list[str]:
    """Checks that facts are numbered without a gap and add up to what is stored."""
    ledger, errors = service.ledger, []
    rows = [ledger.facts[first] for first in sorted(ledger.facts)]
    numbers = [number for row in rows for number in range(row.first, row.first + row.count)]
    if numbers != list(range(1, ledger.last_fact.number + 1)):
        errors.append(f"facts are numbered {numbers}, the last is {ledger.last_fact.number}")
    if sorted(rows, key=lambda row: row.day) != rows:
        errors.append(f"days do not follow numbers: {[row.day for row in rows]}")
    open_facts: Counter[str] = Counter()
    for row in rows:
        for key in row.list_keys(*EventKind):
            open_facts[key.finding_id] += 1 if key.kind is EventKind.NEW else -1
    stored = Counter(finding.finding_id for finding in service.findings.all())
    if +open_facts != stored or -open_facts:
        errors.append(f"facts add up to {open_facts}, stored is {stored}")
    return errors


def find_count_errors(service: Service) -> list[str]:
    """Checks that one message counts each finding that left, or that the next one will."""
    state, errors = service.ledger.channel_state, []
    alerts = [message.alert for message in list_messages(service) if message.alert]
    for kind, told, waiting in (
        (EventKind.FIXED, sum(each.fixed for each in alerts), state.fixed),
        (EventKind.GONE, sum(each.gone for each in alerts), state.gone),
    ):
        facts = sum(len(row.list_keys(kind)) for row in service.ledger.facts.values())
        if told + waiting != facts:
            errors.append(f"{facts} are {kind}, messages count {told}, {waiting} wait")
    return errors


def find_output_errors(service: Service) -> list[str]:
    """Checks that the third output has every message that was sent, and what is open."""
    receiver, errors = service.webhook, []
    if receiver is None:
        return []
    stored = {finding.finding_id for finding in service.findings.all()}
    if receiver.open != stored:
        errors.append(f"the third output has {receiver.open ^ stored} otherwise")
    if service.ledger.receipts["webhook-facts"] != service.ledger.last_fact:
        errors.append(f"the third output is at {service.ledger.receipts}")
    for message in service.ledger.sent.values():
        steps = [step for step in message.steps if step.startswith("webhook.")]
        files = {step.partition(":")[2] for step in steps if ":" in step}
        superseded = message.done.get(SEND) == SUPERSEDED
        if not superseded and message.id not in receiver.messages:
            errors.append(f"the third output never got {message.id}")
        if files - receiver.files.keys():
            errors.append(f"the third output never got {files - receiver.files.keys()}")
    return errors
