"""The operations stack: infra/operations.yaml as CloudFormation reads it."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from chalicelib.entrypoints import telemetry
from tests.fleet import Service
from tests.unit.infra.cloudformation import PSEUDO, Template
from tests.unit.infra.functions import API, event_functions, functions

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbook.md"
ALARM = "AWS::CloudWatch::Alarm"
# The metrics of AWS that the template uses.
AWS_METRICS = {
    ("AWS/Lambda", "Errors"),
    ("AWS/Lambda", "Throttles"),
    ("AWS/Lambda", "Duration"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
    ("AWS/ApiGateway", "Count"),
    ("AWS/ApiGateway", "4XXError"),
    ("AWS/ApiGateway", "5XXError"),
}
# CloudWatch's limits, in seconds, for how far an alarm looks back.
ONE_DAY, SEVEN_DAYS = 86_400, 604_800
IAM = {"WithAuthorizer": "false"}
NO_SCANS = {"ScanHours": "0"}
WAYS = [{}, IAM, NO_SCANS, IAM | NO_SCANS, {"Stage": "prod", "AlarmEmail": "oncall@example.com"}]

Metric = tuple[str, str, tuple[tuple[str, str], ...]]


def alarms(**parameters: str) -> dict[str, Any]:
    """The alarms by the end of their names."""
    stage = parameters.get("Stage", "dev")
    return {
        alarm["AlarmName"].removeprefix(f"ec2-inspec-scan-{stage}-"): alarm
        for alarm in Template("operations", **parameters).properties(ALARM)
    }


def dashboard(**parameters: str) -> Any:
    (made,) = Template("operations", **parameters).properties("AWS::CloudWatch::Dashboard")
    return json.loads(made["DashboardBody"])


def widgets(kind: str, **parameters: str) -> list[Any]:
    found = dashboard(**parameters)["widgets"]
    return [each["properties"] for each in found if each["type"] == kind]


def watched(**parameters: str) -> set[Metric]:
    """The metrics that the alarms evaluate."""
    return {
        (
            alarm["Namespace"],
            alarm["MetricName"],
            tuple((each["Name"], each["Value"]) for each in alarm["Dimensions"]),
        )
        for alarm in alarms(**parameters).values()
    }


def drawn(**parameters: str) -> list[Metric]:
    """The metrics on the dashboard, with their abbreviations expanded."""
    found = []
    for widget in widgets("metric", **parameters):
        before: list[str] = []
        for line in widget["metrics"]:
            names = [each for each in line if isinstance(each, str)]
            if names[0] == "...":
                names = before[: 1 - len(names)] + names[1:]
            before = [before[at] if each == "." else each for at, each in enumerate(names)]
            space, name, *rest = before
            found.append((space, name, tuple(zip(rest[::2], rest[1::2], strict=True))))
    return found


def emitted(capsys: pytest.CaptureFixture[str], stage: str) -> set[Metric]:
    """The metrics of a scan, as CloudWatch extracts them from the log."""
    service = Service()
    service.report("i-1", "A")
    service.enqueue(nodes={"Success": 1})
    telemetry.report_scan(Logger(service="test", level="CRITICAL"), stage, service.run(), {})
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    (dimensions,) = directive["Dimensions"]
    named = tuple(sorted((name, line[name]) for name in dimensions))
    return {(directive["Namespace"], each["Name"], named) for each in directive["Metrics"]}


def test_every_event_function_retries_and_then_sends_to_the_queue() -> None:
    made = Template("operations").properties("AWS::Lambda::EventInvokeConfig")
    assert {each["FunctionName"] for each in made} == event_functions("dev")
    for each in made:
        assert each["Qualifier"] == "$LATEST"
        assert each["MaximumRetryAttempts"] == 2
        assert each["DestinationConfig"] == {"OnFailure": {"Destination": "FailureQueue.Arn"}}


def test_events_live_six_hours_and_those_of_reconcile_one() -> None:
    made = Template("operations").properties("AWS::Lambda::EventInvokeConfig")
    ages = {each["FunctionName"]: each["MaximumEventAgeInSeconds"] for each in made}
    named = functions("dev")
    assert ages == {
        named["ec2-inspec-scan"]: 21_600,
        named["monthly-alert"]: 21_600,
        named["reconcile"]: 3_600,
    }


def test_the_queue_is_encrypted_and_keeps_events_for_two_weeks() -> None:
    (queue,) = Template("operations").properties("AWS::SQS::Queue")
    assert queue == {
        "QueueName": "ec2-inspec-scan-dev-failures",
        "MessageRetentionPeriod": 14 * ONE_DAY,
        "SqsManagedSseEnabled": True,
    }


@pytest.mark.parametrize(
    ("kind", "refused", "resource"),
    [
        ("AWS::SQS::QueuePolicy", "sqs:*", "FailureQueue.Arn"),
        ("AWS::SNS::TopicPolicy", "sns:Publish", "AlarmTopic"),
    ],
)
def test_plain_http_is_refused(kind: str, refused: str, resource: str) -> None:
    (policy,) = Template("operations").properties(kind)
    (denied,) = (each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny")
    assert (denied["Principal"], denied["Action"], denied["Resource"]) == ("*", refused, resource)
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_only_alarms_of_this_stage_and_account_may_publish() -> None:
    (policy,) = Template("operations").properties("AWS::SNS::TopicPolicy")
    (given,) = (each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow")
    assert given["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert given["Action"] == "sns:Publish"
    account, region = PSEUDO["AWS::AccountId"], PSEUDO["AWS::Region"]
    source = f"arn:aws:cloudwatch:{region}:{account}:alarm:ec2-inspec-scan-dev-*"
    assert given["Condition"] == {"ArnLike": {"aws:SourceArn": source}}


def test_the_topic_has_no_key_that_cloudwatch_cannot_use() -> None:
    (topic,) = Template("operations").properties("AWS::SNS::Topic")
    assert topic["TopicName"] == "ec2-inspec-scan-dev-alarms"
    assert "KmsMasterKeyId" not in topic


def test_an_address_is_subscribed_only_if_there_is_one() -> None:
    kind = "AWS::SNS::Subscription"
    assert Template("operations").properties(kind) == []
    (made,) = Template("operations", AlarmEmail="oncall@example.com").properties(kind)
    assert (made["Protocol"], made["Endpoint"]) == ("email", "oncall@example.com")
    assert made["TopicArn"] == "AlarmTopic"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AlarmEmail", "oncall"),
        ("AlarmEmail", "a@b c@d"),
        ("ScanHours", "169"),
        ("ScanHours", "-1"),
        ("WithAuthorizer", "yes"),
    ],
)
def test_an_invalid_value_is_refused(name: str, value: str) -> None:
    assert len(Template("operations", **{name: value}).refused()) == 1


@pytest.mark.parametrize("parameters", WAYS)
def test_every_alarm_notifies_the_topic_and_is_explained(parameters: dict[str, str]) -> None:
    for name, alarm in alarms(**parameters).items():
        assert alarm["AlarmActions"] == ["AlarmTopic"], name
        assert alarm.get("OKActions", ["AlarmTopic"]) == ["AlarmTopic"], name
        assert len(alarm["AlarmDescription"]) <= 1024, name
        assert re.search(r"docs/runbook\.md#[a-z-]+\.$", alarm["AlarmDescription"]), name


def test_an_alarm_links_to_the_runbook_heading_of_its_name() -> None:
    for name, alarm in alarms().items():
        shared = "throttles" if name.endswith("-throttles") else name
        assert alarm["AlarmDescription"].endswith(f"docs/runbook.md#{shared}."), name


def test_the_runbook_has_every_heading_that_alarms_link_to() -> None:
    headings = re.findall(r"^#+ (.+)$", RUNBOOK.read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
    texts = [alarm["AlarmDescription"] for alarm in alarms().values()]
    wanted = {found for text in texts for found in re.findall(r"runbook\.md#([a-z-]+)", text)}
    assert wanted - anchors == set()


def test_every_alarm_decides_what_missing_data_means() -> None:
    silence = {name: alarm["TreatMissingData"] for name, alarm in alarms().items()}
    assert {name for name, means in silence.items() if means == "breaching"} == {
        "no-successful-scan",
        "no-finished-scan",
    }
    assert {name for name, means in silence.items() if means == "ignore"} == {
        "undelivered-messages",
        "unverified-nodes",
    }
    assert set(silence.values()) == {"breaching", "ignore", "notBreaching"}


@pytest.mark.parametrize("hours", ["1", "26", "168"])
def test_no_alarm_looks_back_further_than_cloudwatch_allows(hours: str) -> None:
    for name, alarm in alarms(ScanHours=hours).items():
        back = alarm["Period"] * int(alarm["EvaluationPeriods"])
        longest = ONE_DAY if alarm["Period"] < 3600 else SEVEN_DAYS
        assert 0 < back <= longest, name
        wanted = int(alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]))
        assert 0 < wanted <= int(alarm["EvaluationPeriods"]), name


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
@pytest.mark.parametrize(("parameters", "absent"), [({}, set()), (IAM, {"authorizer"})])
def test_every_function_has_an_alarm(
    metric: str, parameters: dict[str, str], absent: set[str]
) -> None:
    expected = {name for own, name in functions("dev").items() if own not in absent}
    found = watched(**parameters)
    assert {by[0][1] for space, name, by in found if (space, name) == ("AWS/Lambda", metric)} == (
        expected
    )


def test_an_error_that_lambda_retries_raises_no_alarm() -> None:
    repeated = event_functions("dev")
    for name, alarm in alarms().items():
        if alarm["MetricName"] == "Errors" and alarm["Dimensions"][0]["Value"] in repeated:
            quarters = alarm.get("DatapointsToAlarm", 1)
            assert alarm["Threshold"] * quarters >= 3, name
            assert alarm["Period"] * alarm["EvaluationPeriods"] == 3600, name


def test_a_message_may_be_pending_for_an_hour() -> None:
    alarm = alarms()["undelivered-messages"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("pending_age", 3600)
    assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Minimum", "GreaterThanThreshold")


def test_a_node_may_be_unverified_for_a_day() -> None:
    alarm = alarms()["unverified-nodes"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("nodes_unverified", "Minimum")
    assert alarm["Period"] * alarm["EvaluationPeriods"] == ONE_DAY
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)


def test_a_scan_must_succeed_every_hour() -> None:
    alarm = alarms()["no-successful-scan"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("scans_failed", "Minimum")
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 3600
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)


def test_a_scan_must_finish_within_the_operator_s_hours() -> None:
    alarm = alarms(ScanHours="50")["no-finished-scan"]
    assert (alarm["MetricName"], alarm["Statistic"]) == ("scans_finished", "Sum")
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3600, "50")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert "For 50 hours" in alarm["AlarmDescription"]


def test_one_event_in_the_queue_raises_the_alarm() -> None:
    alarm = alarms()["failure-queue"]
    assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": "FailureQueue.QueueName"}]
    assert (alarm["Statistic"], alarm["Threshold"]) == ("Maximum", 1)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_metric_of_ours_is_one_that_a_scan_emits(
    stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = {
        metric
        for metric in [*watched(Stage=stage), *drawn(Stage=stage)]
        if metric[0] == "ec2-inspec-scan"
    }
    assert len(ours) > 10
    assert ours - emitted(capsys, stage) == set()


def test_every_other_metric_is_one_of_aws() -> None:
    named = {(space, name) for space, name, _ in [*watched(), *drawn()]}
    assert {each for each in named if each[0] != "ec2-inspec-scan"} == AWS_METRICS


def test_every_metric_that_a_scan_emits_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert emitted(capsys, "dev") <= {*watched(), *drawn()}


@pytest.mark.parametrize("parameters", WAYS)
def test_the_dashboard_begins_with_every_alarm(parameters: dict[str, str]) -> None:
    first = dashboard(**parameters)["widgets"][0]
    assert (first["type"], first["y"]) == ("alarm", 0)
    stage = parameters.get("Stage", "dev")
    account = f"{PSEUDO['AWS::Region']}:{PSEUDO['AWS::AccountId']}"
    prefix = f"arn:aws:cloudwatch:{account}:alarm:ec2-inspec-scan-{stage}-"
    assert sorted(first["properties"]["alarms"]) == sorted(
        f"{prefix}{name}" for name in alarms(**parameters)
    )


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_the_dashboard_shows_every_function(stage: str, metric: str) -> None:
    found = [
        by for space, name, by in drawn(Stage=stage) if (space, name) == ("AWS/Lambda", metric)
    ]
    assert sorted(by[0][1] for by in found) == sorted(functions(stage).values())


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_dashboard_lists_errors_of_every_function(stage: str) -> None:
    (log,) = widgets("log", Stage=stage)
    sources = re.findall(r"SOURCE '([^']+)'", log["query"])
    groups = Template("data", Stage=stage).properties("AWS::Logs::LogGroup")
    assert sorted(sources) == sorted(group["LogGroupName"] for group in groups)
    assert len(sources) == len(functions(stage))
    assert "filter level = 'ERROR'" in log["query"]


def test_the_dashboard_is_free() -> None:
    assert 20 < len(drawn()) <= 50


def test_widgets_fill_their_rows_without_overlap() -> None:
    placed = sorted(dashboard()["widgets"], key=lambda each: (each["y"], each["x"]))
    rows = sorted({each["y"] for each in placed})
    for y in rows:
        row = [each for each in placed if each["y"] == y]
        assert row[0]["x"] == 0
        assert all(one["x"] + one["width"] == other["x"] for one, other in pairwise(row))
        assert row[-1]["x"] + row[-1]["width"] == 24
        assert len({each["height"] for each in row}) == 1
    heights = {each["y"]: each["height"] for each in placed}
    assert all(y + heights[y] == below for y, below in pairwise(rows))


def test_the_dashboard_shows_the_api_under_its_name_in_chalice() -> None:
    (by,) = {by for space, _, by in drawn() if space == "AWS/ApiGateway"}
    config = json.loads((RUNBOOK.parents[1] / ".chalice" / "config.json").read_bytes())
    gateways = {stage["api_gateway_stage"] for stage in config["stages"].values()}
    assert by == (("ApiName", config["app_name"]), ("Stage", *gateways))
    assert functions("dev")[API].startswith(config["app_name"])


def test_topic_queue_and_dashboard_are_outputs() -> None:
    template = Template("operations")
    outputs = {
        key: template.resolve(each["Value"]) for key, each in template.template["Outputs"].items()
    }
    assert (outputs["AlarmTopic"], outputs["FailureQueue"]) == ("AlarmTopic", "FailureQueue")
    assert outputs["Dashboard"].endswith("#dashboards/dashboard/ec2-inspec-scan-dev")
