"""The three handlers: association events, the month, and reconcile."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib import bootstrap
from chalicelib.domain.errors import BadEvent, BadSetting
from devstack.aws.compliance_store import find_store
from tests.functional.events.calls import build_event, call
from tests.functional.service import NODE, Service

pytestmark = pytest.mark.enable_socket


def test_a_new_finding_is_stored_and_announced(service: Service) -> None:
    service.report("SSH must not allow root")

    facts = service.scan()

    assert (facts["findings_new"], facts["announced"], facts["pending_messages"]) == (1, 1, 0)
    (row,) = service.list_findings()
    assert row["title"]["S"] == "SSH must not allow root"
    assert row["scan_id"]["S"] == facts["scan_id"]
    assert service.list_headers() == ["1 new non-compliant finding"]
    assert "SSH must not allow root" in service.read_csv()


def test_a_repeated_event_is_answered_once(service: Service) -> None:
    service.report("A")
    event = build_event()

    call(event)
    call(event)

    assert service.list_headers() == ["1 new non-compliant finding"]


@pytest.mark.parametrize(
    "detail", [{"document-name": "AWS-RunPatchBaseline"}, {"status": "Pending"}]
)
def test_an_event_of_another_document_or_status_is_ignored(
    service: Service, detail: dict[str, str]
) -> None:
    service.report("A")

    response = call(build_event(**detail))

    assert "ignored" in response
    assert (service.list_findings(), service.list_ledger(), service.list_headers()) == ([], [], [])


def test_a_malformed_event_changes_nothing(service: Service) -> None:
    service.report("A")
    malformed: list[object] = [{}, {"detail": {}}, build_event(status=None), "text"]

    for event in malformed:
        with pytest.raises(BadEvent):
            call(event)

    assert (service.list_findings(), service.list_ledger(), service.list_headers()) == ([], [], [])


@pytest.mark.parametrize("function", ["ec2_inspec_scan", "monthly_alert", "reconcile"])
def test_a_missing_setting_is_named_before_anything_is_changed(
    service: Service, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.report("A")
    monkeypatch.delenv("LEDGER_TABLE")

    with pytest.raises(BadSetting, match="LEDGER_TABLE"):
        call(build_event(), function)

    assert (service.list_findings(), service.list_ledger(), service.list_headers()) == ([], [], [])


def test_a_node_without_findings_is_an_all_clear(service: Service) -> None:
    service.report()

    facts = service.scan()

    assert "ssm.ListComplianceItems" not in facts["calls"]
    assert service.list_headers() == ["No new non-compliant findings"]


def test_a_fleet_without_nodes_is_not_an_all_clear(service: Service) -> None:
    late = datetime.now(UTC) - timedelta(hours=1)

    call(build_event(**{"last-execution-date": late.strftime("%Y-%m-%dT%H:%M:%SZ")}))

    assert service.list_headers() == []


def test_the_month_is_posted_and_stored_once_a_day(service: Service) -> None:
    service.report("A", "B")
    service.scan()

    service.handlers.report_month()
    service.handlers.report_month()

    assert service.list_headers() == [
        "2 new non-compliant findings",
        "Monthly report: 2 non-compliant findings",
    ]
    assert service.read_csv().count("\r\n") == 3


def test_reconcile_removes_a_missing_node_only_if_a_person_accepts_it(service: Service) -> None:
    service.report("A")
    service.scan()
    find_store().forget(NODE)

    service.handlers.reconcile()
    assert len(service.list_findings()) == 1

    service.handlers.reconcile({"accept_missing": True})
    assert service.list_findings() == []


def test_the_runtime_is_built_once_for_a_warm_function(service: Service) -> None:
    service.report("A")

    service.scan()
    service.handlers.reconcile()

    assert bootstrap.runtime.cache_info().misses == 1
