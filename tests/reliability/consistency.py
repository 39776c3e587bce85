"""What must be so in the store at rest: lists, findings table, facts and the channel agree."""

from collections import Counter

from msgspec.structs import replace

from chalicelib.domain.finding import Entry, count_by_severity
from chalicelib.domain.history import AWAY, NAMED, EventKind
from chalicelib.domain.snooze import Muting, State, digest_snoozes
from chalicelib.usecases.announce.deliver import SUPERSEDED
from chalicelib.usecases.scan.compare import read_list, with_list
from tests.fleet import Service
from tests.reliability.model import list_messages
from tests.webhook.output import SEND


def find_inconsistencies(service: Service) -> list[str]:
    """Lists what does not agree. Every fact must be stored."""
    return [
        *find_list_errors(service),
        *find_fact_errors(service),
        *find_count_errors(service),
        *find_day_errors(service),
        *find_output_errors(service),
    ]


def find_list_errors(service: Service) -> list[str]:
    """Compares the list of every node with what is stored of its findings."""
    rows: dict[str, dict[str, Entry]] = {}
    for finding in service.findings.all():
        entry = Entry.of(finding)
        rows.setdefault(finding.instance_id, {})[entry.finding_id] = entry
    errors = []
    for unchecked in service.unchecked.all():
        entry = Entry.of_unchecked(unchecked)
        known = rows.setdefault(unchecked.finding.instance_id, {})
        if entry.finding_id in known:
            errors.append(f"{entry.finding_id} is both open and not checked")
        known[entry.finding_id] = entry
    nodes = {node.instance_id: node for node in service.nodes.all()}
    errors += [f"{orphan} has findings and no row" for orphan in rows.keys() - nodes.keys()]
    for instance_id, node in nodes.items():
        listed, stored = read_list(node), rows.get(instance_id, {})
        # a row does not have these
        alike = {
            key: replace(each, worst=stored[key].worst, in_turn=False, absences=0)
            for key, each in listed.items()
            if key in stored
        }
        if alike != stored or alike.keys() != listed.keys():
            differing = dict(alike.items() ^ stored.items())
            errors.append(f"{instance_id}: list and tables differ in {sorted(differing)}")
        if node != with_list(node, listed.values()):
            errors.append(f"{instance_id}: wrong counts in {node}")
    return errors


# After these a finding is not open.
_CLOSING = (EventKind.FIXED, EventKind.GONE, *AWAY)


def find_fact_errors(service: Service) -> list[str]:
    """Checks that facts are numbered without a gap and add up to what is stored."""
    ledger, errors = service.ledger, []
    rows = [ledger.facts[first] for first in sorted(ledger.facts)]
    numbers = [number for row in rows for number in range(row.first, row.first + row.count)]
    if numbers != list(range(1, ledger.last_fact.number + 1)):
        errors.append(f"facts are numbered {numbers}, the last is {ledger.last_fact.number}")
    if sorted(rows, key=lambda row: row.day) != rows:
        errors.append(f"days do not follow numbers: {[row.day for row in rows]}")
    stored = Counter(finding.finding_id for finding in service.findings.all())
    open_facts: set[str] = set()
    for row in rows:
        for key in row.list_keys(*EventKind):
            event = ledger.history.get(key)
            if event and event.finding:
                open_facts.difference_update(event.finding.former_ids)
            if key.kind in _CLOSING:
                open_facts.discard(key.finding_id)
            elif key.kind is not EventKind.FORGOTTEN:
                open_facts.add(key.finding_id)
    if open_facts != stored.keys():
        errors.append(f"facts add up to {open_facts}, stored is {stored}")
    return errors


def find_count_errors(service: Service) -> list[str]:
    """Checks that one message counts each named fact, or that the next one will."""
    state, errors = service.ledger.channel_state, []
    alerts = [message.alert for message in list_messages(service) if message.alert]
    for kind in NAMED:
        told = sum(each.count(kind) for each in alerts)
        waiting = state.changes.get(kind, 0)
        facts = sum(len(row.list_keys(kind)) for row in service.ledger.facts.values())
        if told + waiting != facts:
            errors.append(f"{facts} are {kind}, messages count {told}, {waiting} wait")
    return errors


def find_day_errors(service: Service) -> list[str]:
    """Checks that days count each fact once, and that the last one has what is stored."""
    days, errors = service.ledger.days, []
    if not days:
        return []
    counted = sum((Counter(day.changes) for day in days.values()), Counter[EventKind]())
    facts = sum((row.counts for row in service.ledger.facts.values()), Counter[EventKind]())
    if counted != facts:
        errors.append(f"the facts are {facts}, days count {counted}")
    last = days[max(days)]
    findings, unchecked = list(service.findings.all()), list(service.unchecked.all())
    stored = count_by_severity(each.severity for each in findings)
    if (last.open, last.unchecked) != (stored, len(unchecked)):
        errors.append(f"stored is {stored} and {len(unchecked)} unchecked, {last} says otherwise")
    newest = max(service.ledger.scans.values(), key=lambda scan: scan.finished_at)
    snoozes = service.ledger.snoozes.values()
    active = [each for each in snoozes if each.state(newest.at) is State.ACTIVE]
    # the number may not be known, and people may have changed some since
    if last.muted and last.muted.snoozes == digest_snoozes(active):
        muting = Muting(active, newest.at)
        muted = sum(muting.of(each) is not None for each in findings)
        if muted != last.muted.findings:
            errors.append(f"snoozes mute {muted}, {last.muted} says otherwise")
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
