"""Compliance items: every page, malformed fields, hostile titles, two spellings of the type."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.compliance import Doubt
from devstack.aws.compliance_store import find_store
from devstack.inspec.loader import SAMPLES, load_now
from tests.functional.service import NODE, Service

pytestmark = pytest.mark.enable_socket

OTHER = "mi-0123456789abcdef0"


@pytest.mark.parametrize("count", [50, 51, 1001])
def test_every_page_of_a_node_is_read(service: Service, count: int) -> None:
    service.report(*(f"title {number}" for number in range(count)))

    facts = service.scan()

    assert facts["findings_new"] == len(service.list_findings()) == count
    assert facts["calls"]["ssm.ListComplianceItems"] == -(-count // 50)
    assert service.list_headers() == [f"{count:,} new non-compliant findings"]


def test_every_page_of_the_fleet_is_read(service: Service) -> None:
    for number in range(51):
        service.report("A", node=f"i-{number:017x}")

    assert service.scan(Success=51)["nodes_known"] == 51


@pytest.mark.parametrize(
    ("sample", "count"), [("nasty", 3), ("broken-control", 1), ("unsupported-platform", 0)]
)
def test_difficult_reports_are_stored(service: Service, sample: str, count: int) -> None:
    report = (SAMPLES / f"{sample}.json").read_bytes()
    loaded = load_now(service.stack.aws.url, NODE, report, cut_titles=True)

    facts = service.scan()

    assert facts["findings_new"] == count == loaded.findings == len(service.list_findings())


def test_the_loader_counts_findings_as_slack_does(service: Service) -> None:
    titles = ["a", "a", "a ", "A", "á", "a\u0301", "a\n", "", "", "x" * 600, "x" * 700]
    results = [{"status": "failed", "code_desc": title} for title in titles]
    control = {"id": "c", "title": None, "impact": 1, "results": results}
    report = json.dumps({"profiles": [{"name": "base", "controls": [control]}]}).encode()
    loaded = load_now(service.stack.aws.url, NODE, report, cut_titles=True)

    facts = service.scan()

    assert (loaded.non_compliant, loaded.findings) == (11, 8)
    assert facts["findings_new"] == 8
    assert service.list_headers() == ["8 new non-compliant findings"]


def test_a_hostile_title_is_stored_unchanged_and_does_no_harm(service: Service) -> None:
    title = ('=HYPERLINK("http://x","a")\n<!channel> & \u202eabc 😀 ' + "x" * 450)[:500]
    service.report(title)

    service.scan()

    (row,) = service.list_findings()
    assert row["title"]["S"] == title
    assert "\"'=HYPERLINK" in service.read_csv()
    message = service.stack.slack.messages[0]
    assert "\u202e" not in str(message.blocks) + message.text


def test_an_item_without_id_or_with_an_unknown_severity_is_stored(service: Service) -> None:
    service.report_items(
        [
            {"Severity": "HIGH", "Status": "NON_COMPLIANT", "Title": "no id"},
            {"Severity": "HIGH", "Status": "NON_COMPLIANT", "Id": "no-title"},
            {"Severity": "UNSPECIFIED", "Status": "NON_COMPLIANT", "Id": "x", "Title": "twice"},
            {"Severity": "LOW", "Status": "NON_COMPLIANT", "Id": "y", "Title": "twice"},
        ]
    )

    facts = service.scan()

    assert (facts["findings_new"], facts["untitled_items"], facts["nodes_unverified"]) == (2, 1, 0)
    stored = {row["title"]["S"]: row["severity"]["S"] for row in service.list_findings()}
    assert stored == {"no id": "HIGH", "twice": "LOW"}


def test_two_spellings_of_the_type_are_one_type_and_the_newest_counts(service: Service) -> None:
    now = datetime.now(UTC)
    old = [{"Id": "a", "Title": "old", "Severity": "LOW", "Status": "NON_COMPLIANT"}]
    new = [{"Id": "a", "Title": "new", "Severity": "LOW", "Status": "NON_COMPLIANT"}]
    an_hour_ago = now - timedelta(hours=1)
    service.report_items(old, compliance_type="Custom:Inspec", at=an_hour_ago, run="run-1")
    service.report_items(new, compliance_type="Custom:InSpec", at=now, run="run-2")

    service.scan()

    assert [row["title"]["S"] for row in service.list_findings()] == ["new"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ExecutionSummary": {"ExecutionTime": 253402300800}}, Doubt.NO_EXECUTION),
        ({"ExecutionSummary": {"ExecutionTime": "0000-00-00"}}, Doubt.NO_EXECUTION),
        ({"ExecutionSummary": None}, Doubt.NO_EXECUTION),
        ({"NonCompliantSummary": None}, Doubt.NO_COUNT),
        ({"NonCompliantSummary": {"NonCompliantCount": {"Count": 1}}}, Doubt.NO_COUNT),
        ({"CompliantSummary": {"CompliantCount": "1"}}, Doubt.NO_COUNT),
    ],
)
def test_one_flawed_row_makes_its_node_unverified_and_everyone_else_is_served(
    service: Service, fields: dict[str, Any], reason: str
) -> None:
    service.report("A", "B")
    service.report("C", node=OTHER)
    service.scan(Success=2)
    service.report("A", run="run-2")
    service.report("D", node=OTHER, run="run-2")
    find_store().change_summary(NODE, "Custom:InSpec", **fields)

    facts = service.scan(Success=2)

    assert (facts["nodes_unverified"], facts["findings_new"]) == (1, 1)
    assert sorted(row["title"]["S"] for row in service.list_findings()) == ["A", "B", "D"]
    assert reason in str(service.stack.slack.messages)
