from datetime import UTC, datetime

import pytest

from chalicelib.adapters.memory import MemoryFindings, MemoryNodes
from chalicelib.domain.errors import BadSetting
from chalicelib.domain.finding import Severity, finding_id
from ops.old_table import read, store
from tests.fleet import HOUR, Service

NOW = datetime(2026, 1, 31, 8, 15, 30, tzinfo=UTC)


def row(instance: object, title: object) -> dict[str, object]:
    return {"md5hash": finding_id(str(instance), str(title)), "instance": instance, "title": title}


def test_each_row_becomes_a_finding_under_the_same_key() -> None:
    imported = read([row("i-1", "A"), row("i-1", "B"), row("i-2", "A")], NOW)
    assert [each.finding_id for each in imported.findings] == [
        finding_id("i-1", "A"),
        finding_id("i-1", "B"),
        finding_id("i-2", "A"),
    ]
    assert {each.first_seen for each in imported.findings} == {NOW}


def test_each_node_is_known_with_its_findings_counted_and_is_yet_to_be_read() -> None:
    imported = read([row("i-1", "A"), row("i-1", "B"), row("i-2", "A")], NOW)
    assert {node.instance_id: dict(node.severities) for node in imported.nodes} == {
        "i-1": {Severity.UNSPECIFIED: 2},
        "i-2": {Severity.UNSPECIFIED: 1},
    }
    assert all(not node.executions for node in imported.nodes)


def test_a_row_without_instance_or_title_is_named_and_left_out() -> None:
    broken: list[dict[str, object]] = [
        {"md5hash": "abc", "instance": "i-1"},
        {"title": "A"},
        row("i-1", 5),
        row("", "A"),
    ]
    imported = read([*broken, row("i-1", "A")], NOW)
    assert len(imported.findings) == 1
    assert imported.unreadable[:2] == ("abc", "a row without md5hash")
    assert len(imported.unreadable) == 4


def test_the_same_pair_twice_counts_once() -> None:
    imported = read([row("i-1", "A"), row("i-1", "A")], NOW)
    assert len(imported.findings) == 1
    assert imported.nodes[0].open_findings == 1


def test_a_stage_that_has_scanned_is_left_alone() -> None:
    service = Service()
    service.report("i-1", "A")
    service.run()
    with pytest.raises(BadSetting, match="1 nodes"):
        store(read([row("i-9", "Z")], NOW), service.findings, service.nodes)
    assert service.titles() == ["A"]


def test_an_import_can_be_repeated_until_its_nodes_are_stored() -> None:
    findings, nodes = MemoryFindings(), MemoryNodes()
    imported = read([row("i-1", "A")], NOW)
    findings.put(imported.findings)
    store(imported, findings, nodes)
    assert len(list(findings.all())) == 1
    assert [node.instance_id for node in nodes.all()] == ["i-1"]


def test_the_first_scan_tells_only_what_the_old_table_did_not_know() -> None:
    service = Service()
    old = read([row("i-1", "A"), row("i-1", "fixed by now"), row("i-9", "gone")], NOW)
    store(old, service.findings, service.nodes)
    service.report("i-1", "A", "B", severity="HIGH")
    service.run()
    assert service.said == ["new: B"]
    assert service.titles() == ["A", "B", "gone"]
    (kept,) = (each for each in service.findings.all() if each.title == "A")
    assert (kept.severity, kept.first_seen) == (Severity.HIGH, NOW)


def test_a_node_of_the_old_table_that_is_gone_leaves_after_an_hour() -> None:
    service = Service()
    store(read([row("i-9", "gone")], NOW), service.findings, service.nodes)
    service.report("i-1", "A")
    service.run()
    service.clock.forward(HOUR)
    service.run()
    assert service.titles() == ["A"]
