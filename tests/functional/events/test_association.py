"""The three handlers over real protocols: what comes in, what is stored, what is said."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.local import LambdaContext

import app
from chalicelib import bootstrap
from chalicelib.domain.errors import BadEvent, BadSetting, DeliveryError
from devstack.aws.compliance_store import find_store
from devstack.aws.session import make_session
from devstack.environment import ACCOUNT, REGION, TOKEN
from devstack.events import build_association_event
from devstack.inspec.loader import load_sample
from devstack.slack.faults import Fault
from tests.functional.conftest import NODE, Service

pytestmark = pytest.mark.enable_socket


def event(**detail: object) -> dict[str, Any]:
    now = datetime.now(UTC)
    made = build_association_event(
        "assoc-1", "Success", now, {"Success": 1}, now, account=ACCOUNT, region=REGION
    )
    return made | {"detail": made["detail"] | detail}


def call(event: object, function: str = "ec2_inspec_scan") -> dict[str, Any]:
    answer: dict[str, Any] = getattr(app, function)(
        event, LambdaContext(function, 512, max_runtime_ms=900_000)
    )
    return answer


def test_a_new_finding_is_stored_told_and_its_debt_paid(service: Service) -> None:
    service.put("SSH must not allow root")
    facts = service.scan()
    assert (facts["findings_new"], facts["announced"], facts["pending_messages"]) == (1, 1, 0)
    (row,) = service.stored()
    assert row["title"]["S"] == "SSH must not allow root"
    assert row["scan_id"]["S"] == facts["scan_id"]
    assert service.posts() == ["1 new non-compliant finding"]
    assert "SSH must not allow root" in service.csv()


def test_the_same_event_twice_is_answered_once(service: Service) -> None:
    service.put("A")
    twice = event()
    call(twice)
    call(twice)
    assert service.posts() == ["1 new non-compliant finding"]


@pytest.mark.parametrize(
    "detail", [{"document-name": "AWS-RunPatchBaseline"}, {"status": "Pending"}]
)
def test_what_is_none_of_our_executions_is_ignored(
    service: Service, detail: dict[str, str]
) -> None:
    service.put("A")
    assert "ignored" in call(event(**detail))
    assert (service.stored(), service.ledger(), service.posts()) == ([], [], [])


def test_an_event_without_detail_changes_nothing(service: Service) -> None:
    service.put("A")
    wrong_ones: list[object] = [{}, {"detail": {}}, event(status=None), "text"]
    for wrong in wrong_ones:
        with pytest.raises(BadEvent):
            call(wrong)
    assert (service.stored(), service.ledger(), service.posts()) == ([], [], [])


@pytest.mark.parametrize("function", ["ec2_inspec_scan", "monthly_alert", "reconcile"])
def test_a_missing_setting_is_named_before_anything_is_done(
    service: Service, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.put("A")
    monkeypatch.delenv("LEDGER_TABLE")
    with pytest.raises(BadSetting, match="LEDGER_TABLE"):
        call(event(), function)
    assert (service.stored(), service.ledger(), service.posts()) == ([], [], [])


@pytest.mark.parametrize("count", [50, 51, 1001])
def test_every_page_of_a_node_is_read(service: Service, count: int) -> None:
    service.put(*(f"title {number}" for number in range(count)))
    facts = service.scan()
    assert facts["findings_new"] == len(service.stored()) == count
    assert facts["calls"]["ssm.ListComplianceItems"] == -(-count // 50)
    assert service.posts() == [f"{count:,} new non-compliant findings"]


def test_fifty_one_nodes_are_all_seen(service: Service) -> None:
    for number in range(51):
        service.put("A", node=f"i-{number:017x}")
    assert service.scan(Success=51)["nodes_known"] == 51


def test_a_node_with_nothing_to_complain_of_is_an_all_clear(service: Service) -> None:
    service.put()
    facts = service.scan()
    assert "ssm.ListComplianceItems" not in facts["calls"]
    assert service.posts() == ["No new non-compliant findings"]


def test_no_node_at_all_is_not_an_all_clear(service: Service) -> None:
    late = datetime.now(UTC) - timedelta(hours=1)
    call(event(**{"last-execution-date": late.strftime("%Y-%m-%dT%H:%M:%SZ")}))
    assert service.posts() == []


@pytest.mark.parametrize(
    ("sample", "count"), [("nasty", 3), ("broken-control", 1), ("unsupported-platform", 0)]
)
def test_the_samples_that_are_hard_to_take_are_taken(
    service: Service, sample: str, count: int
) -> None:
    loaded = load_sample(service.stack.aws.url, NODE, sample)
    facts = service.scan()
    assert facts["findings_new"] <= loaded.non_compliant
    assert facts["findings_new"] == count == len(service.stored())


def test_a_hostile_title_comes_through_whole_and_does_no_harm(service: Service) -> None:
    title = '=HYPERLINK("http://x","a")\n<!channel> & \u202eabc 😀 ' + "x" * 450
    service.put(title[:500])
    service.scan()
    (row,) = service.stored()
    assert row["title"]["S"] == title[:500]
    assert "\"'=HYPERLINK" in service.csv()
    shown = str(service.stack.slack.messages[0].blocks) + service.stack.slack.messages[0].text
    assert "\u202e" not in shown


def test_items_without_id_or_title_or_with_a_severity_of_the_future(service: Service) -> None:
    service.put_items(
        [
            {"Severity": "HIGH", "Status": "NON_COMPLIANT", "Title": "no id"},
            {"Severity": "HIGH", "Status": "NON_COMPLIANT", "Id": "no-title"},
            {"Severity": "UNSPECIFIED", "Status": "NON_COMPLIANT", "Id": "x", "Title": "twice"},
            {"Severity": "LOW", "Status": "NON_COMPLIANT", "Id": "y", "Title": "twice"},
        ]
    )
    facts = service.scan()
    assert (facts["findings_new"], facts["untitled_items"], facts["nodes_unverified"]) == (2, 1, 0)
    stored = {row["title"]["S"]: row["severity"]["S"] for row in service.stored()}
    assert stored == {"no id": "HIGH", "twice": "LOW"}


def test_two_spellings_of_the_type_are_one_and_the_newest_counts(service: Service) -> None:
    now = datetime.now(UTC)
    old = [{"Id": "a", "Title": "old", "Severity": "LOW", "Status": "NON_COMPLIANT"}]
    new = [{"Id": "a", "Title": "new", "Severity": "LOW", "Status": "NON_COMPLIANT"}]
    service.put_items(old, compliance_type="Custom:Inspec", at=now - timedelta(hours=1), run="r1")
    service.put_items(new, compliance_type="Custom:InSpec", at=now, run="r2")
    service.scan()
    assert [row["title"]["S"] for row in service.stored()] == ["new"]


def test_a_revoked_token_loses_nothing_and_says_what_to_mend(service: Service) -> None:
    service.put("A")
    service.stack.slack.revoke_token()
    with pytest.raises(DeliveryError, match="SLACK_TOKEN_PARAMETER"):
        service.scan()
    lines = [line for line in service.log_lines() if line.get("level") == "ERROR"]
    assert [(line["step"], line["code"]) for line in lines] == [("post", "token_revoked")]
    assert "SLACK_TOKEN_PARAMETER" in lines[0]["mend"]
    service.stack.slack.reset()
    service.handlers.reconcile()
    assert service.posts() == ["1 new non-compliant finding"]


def test_a_slack_that_is_down_is_tried_again_by_reconcile(service: Service) -> None:
    service.put("A")
    service.stack.slack.fail("files.getUploadURLExternal", Fault.http_error(500))
    with pytest.raises(DeliveryError):
        service.scan()
    service.handlers.reconcile()
    service.handlers.reconcile()
    assert service.posts() == ["1 new non-compliant finding"]
    assert len([m for m in service.stack.slack.messages if m.files]) == 1


def test_a_bucket_that_is_gone_delays_the_object_and_nothing_else(service: Service) -> None:
    service.put("A")
    bucket, url = service.stack.resources.reports_bucket, service.stack.aws.url
    with closing(make_session().client("s3", endpoint_url=url)) as s3:
        s3.delete_bucket(Bucket=bucket)
        with pytest.raises(DeliveryError, match="REPORTS_BUCKET"):
            service.scan()
        assert len(service.stack.slack.messages) == 2
        s3.create_bucket(Bucket=bucket)
        service.handlers.reconcile()
        (stored,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert stored["Key"].startswith("alerts/")
    assert len(service.stack.slack.messages) == 2


def test_the_month_goes_to_slack_and_s3_once_a_day(service: Service) -> None:
    service.put("A", "B")
    service.scan()
    service.handlers.report_month()
    service.handlers.report_month()
    assert service.posts() == [
        "2 new non-compliant findings",
        "Monthly report: 2 non-compliant findings",
    ]
    assert service.csv().count("\r\n") == 3


def test_reconcile_takes_a_persons_word_that_nodes_are_gone(service: Service) -> None:
    service.put("A")
    service.scan()
    find_store().forget(NODE)
    service.handlers.reconcile()
    assert len(service.stored()) == 1
    service.handlers.reconcile({"accept_missing": True})
    assert service.stored() == []


def test_logs_and_metrics_say_what_a_pass_did_and_no_secret(service: Service) -> None:
    service.put("A title from a host")
    facts = service.scan()
    lines = service.log_lines()
    (line,) = (each for each in lines if each.get("message") == "scan finished")
    assert {"scan_id", "nodes_known", "nodes_changed", "nodes_unverified", "nodes_gone"} <= set(
        line
    )
    assert {
        "findings_new",
        "findings_fixed",
        "snoozed",
        "api_calls",
        "seconds",
        "undelivered",
    } <= set(line)
    assert line["api_calls"] == facts["api_calls"] == sum(line["calls"].values())
    (metrics,) = (each for each in lines if "_aws" in each)
    assert metrics["findings_new"] == [1.0]
    assert metrics["stage"] == "devstack"
    text = service.log.getvalue()
    for secret in (TOKEN, "xox", "http://", "upload", "A title from a host"):
        assert secret not in text


def test_the_runtime_is_built_once_for_a_warm_lambda(service: Service) -> None:
    service.put("A")
    service.scan()
    service.handlers.reconcile()
    assert bootstrap.runtime.cache_info().misses == 1
