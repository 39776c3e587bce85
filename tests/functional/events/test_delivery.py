"""A Slack or a bucket that fails delays its own part only. Logs say what to do."""

from contextlib import closing

import pytest

from chalicelib.domain.errors import DeliveryError
from devstack.aws.session import make_session
from devstack.environment import TOKEN
from devstack.slack.faults import Fault
from tests.functional.service import Service

pytestmark = pytest.mark.enable_socket


def test_a_revoked_token_loses_nothing_and_the_log_says_what_to_do(service: Service) -> None:
    service.report("A")
    service.stack.slack.revoke_token()

    with pytest.raises(DeliveryError, match="SLACK_TOKEN_PARAMETER"):
        service.scan()

    (line,) = (line for line in service.read_log() if line.get("level") == "ERROR")
    assert (line["step"], line["code"]) == ("slack.post", "token_revoked")
    assert "SLACK_TOKEN_PARAMETER" in line["mend"]

    service.stack.slack.reset()
    service.handlers.reconcile()
    assert service.list_headers() == ["1 new non-compliant finding"]


def test_reconcile_completes_what_slack_did_not_accept(service: Service) -> None:
    service.report("A")
    service.stack.slack.fail("files.getUploadURLExternal", Fault.http_error(500))
    with pytest.raises(DeliveryError):
        service.scan()

    service.handlers.reconcile()
    service.handlers.reconcile()

    assert service.list_headers() == ["1 new non-compliant finding"]
    assert len([message for message in service.stack.slack.messages if message.files]) == 1


def test_a_missing_bucket_delays_only_its_object(service: Service) -> None:
    service.report("A")
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


def test_logs_and_metrics_describe_a_scan_without_a_secret(service: Service) -> None:
    service.report("A title from a host")

    facts = service.scan()

    lines = service.read_log()
    (line,) = (each for each in lines if each.get("message") == "scan ended")
    assert line.keys() >= {
        *("scan_id", "nodes_known", "nodes_changed", "nodes_unverified", "nodes_gone"),
        *("findings_new", "findings_fixed", "snoozed", "api_calls", "seconds", "undelivered"),
    }
    assert (line["topic"], line["reason"]) == ("new", "there are findings to announce")
    assert line["api_calls"] == facts["api_calls"] == sum(line["calls"].values())
    (metrics,) = (each for each in lines if "_aws" in each)
    assert metrics["findings_new"] == [1.0]
    assert metrics["stage"] == "devstack"
    text = service.log.getvalue()
    for secret in (TOKEN, "xox", "http://", "upload", "A title from a host"):
        assert secret not in text


def test_a_file_that_slack_refuses_is_settled_and_the_log_says_what_to_do(
    service: Service,
) -> None:
    service.report("A")
    service.stack.slack.block_files()

    facts = service.scan()

    assert (facts["undelivered"], facts["pending_messages"]) == (0, 0)
    post, line = service.stack.slack.messages
    assert line.thread_ts == post.ts
    assert "It is in S3 as alerts/" in line.text
    (entry,) = (each for each in service.read_log() if each.get("level") == "ERROR")
    assert entry["message"] == "step settled otherwise"
    assert entry["step"].startswith("slack.file:")
    assert entry["mend"]


def test_a_token_that_stays_revoked_is_not_tried_at_every_scan(service: Service) -> None:
    service.report("A")
    service.stack.slack.revoke_token()
    with pytest.raises(DeliveryError, match="SLACK_TOKEN_PARAMETER"):
        service.scan()
    with pytest.raises(DeliveryError, match="SLACK_TOKEN_PARAMETER"):
        service.handlers.reconcile()
    service.stack.slack.reset()

    service.handlers.reconcile()

    assert service.list_headers() == []

    service.handlers.reconcile({"full": True})

    assert service.list_headers() == ["1 new non-compliant finding"]
