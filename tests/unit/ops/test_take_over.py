from datetime import UTC, datetime

import pytest

from chalicelib.domain.errors import BadSetting
from chalicelib.domain.finding import Severity, finding_id
from ops.take_over import parse_rows, store
from tests.fakes import MemoryFindings, MemoryNodes
from tests.fleet import HOUR, Service

NOW = datetime(2026, 1, 31, 8, 15, 30, tzinfo=UTC)


def row(instance: object, title: object) -> dict[str, object]:
    return {"md5hash": finding_id(str(instance), str(title)), "instance": instance, "title": title}


def test_each_row_becomes_a_finding_with_the_same_id() -> None:
    imported = parse_rows([row("i-1", "A"), row("i-1", "B"), row("i-2", "A")], NOW)
    assert [each.finding_id for each in imported.findings] == [
        finding_id("i-1", "A"),
        finding_id("i-1", "B"),
        finding_id("i-2", "A"),
    ]
    assert {each.first_seen for each in imported.findings} == {NOW}


def test_each_node_has_its_counts_and_no_watermark() -> None:
    imported = parse_rows([row("i-1", "A"), row("i-1", "B"), row("i-2", "A")], NOW)
    assert {node.instance_id: dict(node.severities) for node in imported.nodes} == {
        "i-1": {Severity.UNSPECIFIED: 2},
        "i-2": {Severity.UNSPECIFIED: 1},
    }
    assert all(not node.executions for node in imported.nodes)


def test_a_row_without_an_instance_or_a_title_is_skipped_and_named() -> None:
    broken: list[dict[str, object]] = [
        {"md5hash": "abc", "instance": "i-1"},
        {"title": "A"},
        row("i-1", 5),
        row("", "A"),
    ]
    imported = parse_rows([*broken, row("i-1", "A")], NOW)
    assert len(imported.findings) == 1
    assert imported.unreadable[:2] == ("abc", "a row without md5hash")
    assert len(imported.unreadable) == 4


def test_a_repeated_row_counts_once() -> None:
    imported = parse_rows([row("i-1", "A"), row("i-1", "A")], NOW)
    assert len(imported.findings) == 1
    assert imported.nodes[0].open_findings == 1


def test_a_stage_that_has_scanned_refuses_the_import() -> None:
    service = Service()
    service.report("i-1", "A")
    service.run()
    with pytest.raises(BadSetting, match="1 nodes"):
        store(parse_rows([row("i-9", "Z")], NOW), service.findings, service.nodes)
    assert service.list_titles() == ["A"]


def test_an_import_can_be_repeated_until_its_nodes_are_written() -> None:
    findings, nodes = MemoryFindings(), MemoryNodes()
    imported = parse_rows([row("i-1", "A")], NOW)
    findings.put(imported.findings)
    store(imported, findings, nodes)
    assert len(list(findings.all())) == 1
    assert [node.instance_id for node in nodes.all()] == ["i-1"]


def test_the_first_scan_announces_only_findings_that_the_old_table_lacks() -> None:
    service = Service()
    old = parse_rows([row("i-1", "A"), row("i-1", "fixed by now"), row("i-9", "gone")], NOW)
    store(old, service.findings, service.nodes)
    service.report("i-1", "A", "B", severity="HIGH")
    service.run()
    assert service.messages == ["new: B"]
    assert service.list_titles() == ["A", "B", "gone"]
    (kept,) = (each for each in service.findings.all() if each.title == "A")
    assert (kept.severity, kept.first_seen) == (Severity.HIGH, NOW)


def test_an_imported_node_that_is_gone_is_removed_after_an_hour() -> None:
    service = Service()
    store(parse_rows([row("i-9", "gone")], NOW), service.findings, service.nodes)
    service.report("i-1", "A")
    service.run()
    service.clock.forward(HOUR)
    service.run()
    assert service.list_titles() == ["A"]
