from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

from devstack.aws.compliance_store import find_store
from devstack.aws.server import AwsServer, register_compliance, serve_aws
from devstack.aws.session import make_session

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

NODE, OTHER = "i-0123456789abcdef0", "mi-0123456789abcdef0"
RAN = datetime(2024, 5, 16, 23, 0, 1, tzinfo=UTC)
LATER = datetime(2024, 5, 17, 23, 0, 1, tzinfo=UTC)
SEVERITY_COUNTS = (
    "CriticalCount",
    "HighCount",
    "MediumCount",
    "LowCount",
    "InformationalCount",
    "UnspecifiedCount",
)
NO_RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: AwsServer) -> Iterator["SSMClient"]:
    session = make_session()
    with closing(session.client("ssm", endpoint_url=server.url, config=NO_RETRIES)) as ssm:
        yield ssm


@pytest.fixture
def aws(server: AwsServer) -> AwsServer:
    server.reset()
    return server


@pytest.fixture
def ssm(aws: AwsServer, client: "SSMClient") -> "SSMClient":
    assert client.meta.endpoint_url == aws.url
    return client


def item(title: str = "T", status: str = "NON_COMPLIANT", severity: str = "HIGH") -> dict[str, Any]:
    return {"Id": f"id of {title}", "Title": title, "Status": status, "Severity": severity}


def numbered(count: int) -> list[dict[str, Any]]:
    return [item(f"title {number}") for number in range(count)]


def put(ssm: "SSMClient", items: Sequence[Any], **changes: Any) -> None:
    request = {
        "ResourceId": NODE,
        "ResourceType": "ManagedInstance",
        "ComplianceType": "Custom:InSpec",
        "ExecutionSummary": {
            "ExecutionTime": RAN,
            "ExecutionId": "run-1",
            "ExecutionType": "Command",
        },
        "Items": items,
    }
    ssm.put_compliance_items(**request | changes)


def listed(ssm: "SSMClient", *filters: Any, node: str = NODE) -> list[Any]:
    pages = ssm.get_paginator("list_compliance_items").paginate(
        ResourceIds=[node], ResourceTypes=["ManagedInstance"], Filters=filters
    )
    return [found for page in pages for found in page["ComplianceItems"]]


def titles(ssm: "SSMClient", *filters: Any) -> list[str]:
    return [found["Title"] for found in listed(ssm, *filters)]


def summaries(ssm: "SSMClient", *filters: Any) -> list[Any]:
    pages = ssm.get_paginator("list_resource_compliance_summaries").paginate(Filters=filters)
    return [row for page in pages for row in page["ResourceComplianceSummaryItems"]]


def where(key: str, *values: str, by: str = "EQUAL") -> dict[str, Any]:
    return {"Key": key, "Values": list(values), "Type": by}


def test_an_item_comes_back_as_it_was_put_with_an_aware_time(ssm: "SSMClient") -> None:
    put(ssm, [item("Überprüfung : café") | {"Details": {"a": "b"}}])
    assert listed(ssm) == [
        {
            "ComplianceType": "Custom:InSpec",
            "ResourceType": "ManagedInstance",
            "ResourceId": NODE,
            "Id": "id of Überprüfung : café",
            "Title": "Überprüfung : café",
            "Status": "NON_COMPLIANT",
            "Severity": "HIGH",
            "ExecutionSummary": {
                "ExecutionTime": RAN,
                "ExecutionId": "run-1",
                "ExecutionType": "Command",
            },
            "Details": {"a": "b"},
        }
    ]
    assert listed(ssm)[0]["ExecutionSummary"]["ExecutionTime"].utcoffset() is not None


def test_id_title_and_details_stay_away_when_they_were_not_put(ssm: "SSMClient") -> None:
    put(ssm, [{"Status": "COMPLIANT", "Severity": "LOW"}])
    assert {"Id", "Title", "Details"}.isdisjoint(listed(ssm)[0])


@pytest.mark.parametrize("count", [0, 1, 50, 51, 1_001])
def test_every_item_is_listed_once_over_all_pages(ssm: "SSMClient", count: int) -> None:
    put(ssm, numbered(count))
    assert titles(ssm) == [f"title {number}" for number in range(count)]


def test_a_page_has_fifty_items_or_as_many_as_asked_for(ssm: "SSMClient") -> None:
    put(ssm, numbered(51))
    full = ssm.list_compliance_items(ResourceIds=[NODE])
    small = ssm.list_compliance_items(ResourceIds=[NODE], MaxResults=7)
    rest = ssm.list_compliance_items(ResourceIds=[NODE], NextToken=full["NextToken"])
    assert len(full["ComplianceItems"]) == 50
    assert len(small["ComplianceItems"]) == 7
    assert [found["Title"] for found in rest["ComplianceItems"]] == ["title 50"]
    assert "NextToken" not in rest
    put(ssm, numbered(50))
    assert "NextToken" not in ssm.list_compliance_items(ResourceIds=[NODE])


def test_a_token_of_another_question_or_of_nobody_is_refused(ssm: "SSMClient") -> None:
    put(ssm, numbered(51))
    token = ssm.list_compliance_items(ResourceIds=[NODE])["NextToken"]
    for asked, wrong in (([OTHER], token), ([NODE], "abc"), ([NODE], "é"), ([NODE], "AAAA")):
        with pytest.raises(ssm.exceptions.InvalidNextToken):
            ssm.list_compliance_items(ResourceIds=asked, NextToken=wrong)


def test_a_put_replaces_the_type_on_the_node_and_nothing_else(ssm: "SSMClient") -> None:
    put(ssm, numbered(3))
    put(ssm, [item("of the guide's type")], ComplianceType="Custom:Inspec")
    put(ssm, [item("elsewhere")], ResourceId=OTHER)
    put(ssm, [item("new")], ItemContentHash="ignored", UploadType="COMPLETE")
    assert titles(ssm) == ["new", "of the guide's type"]
    assert [found["Title"] for found in listed(ssm, node=OTHER)] == ["elsewhere"]


def test_a_partial_put_of_associations_keeps_the_items_it_does_not_name(ssm: "SSMClient") -> None:
    put(ssm, [item("a", severity="LOW"), item("b")], ComplianceType="Association")
    put(ssm, [item("a")], ComplianceType="Association", UploadType="PARTIAL")
    assert [(found["Title"], found["Severity"]) for found in listed(ssm)] == [
        ("b", "HIGH"),
        ("a", "HIGH"),
    ]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("ValidationException", {"items": [item("x" * 501)]}),
        ("ValidationException", {"items": [item(severity="SEVERE")]}),
        ("ValidationException", {"items": [item(status="FAILED")]}),
        ("ValidationException", {"items": [item() | {"Details": {"a": "x" * 4097}}]}),
        ("ValidationException", {"items": numbered(10_001)}),
        ("TotalSizeLimitExceededException", {"items": [item("é" * 500)] * 1_000}),
        ("ValidationException", {"ComplianceType": "custom:InSpec"}),
        ("ValidationException", {"ComplianceType": "Custom:InSpec!"}),
        ("ValidationException", {"ComplianceType": "InSpec"}),
        ("ValidationException", {"UploadType": "PARTIAL"}),
        ("ValidationException", {"UploadType": "SOME"}),
        (
            "ValidationException",
            {"ExecutionSummary": {"ExecutionTime": RAN, "ExecutionId": "x" * 101}},
        ),
        (
            "ValidationException",
            {"ExecutionSummary": {"ExecutionTime": RAN, "ExecutionType": "x" * 51}},
        ),
        ("InvalidResourceType", {"ResourceType": "EC2"}),
        ("InvalidResourceId", {"ResourceId": "web-1"}),
    ],
)
def test_a_refused_put_changes_nothing(ssm: "SSMClient", code: str, changes: Any) -> None:
    put(ssm, [item("kept")])
    with pytest.raises(ClientError) as refused:
        put(ssm, **{"items": [item("lost")]} | changes)
    assert refused.value.response["Error"]["Code"] == code
    assert titles(ssm) == ["kept"]


def test_ten_thousand_items_and_titles_of_500_characters_are_taken(ssm: "SSMClient") -> None:
    put(ssm, [{"Status": "COMPLIANT", "Severity": "LOW"}] * 9_999 + [item("x" * 500)])
    (row,) = summaries(ssm)
    assert row["CompliantSummary"]["CompliantCount"] == 9_999
    assert row["NonCompliantSummary"]["NonCompliantCount"] == 1


def test_a_put_without_an_execution_time_is_refused(aws: AwsServer) -> None:
    careless = NO_RETRIES.merge(Config(parameter_validation=False))
    with (
        closing(make_session().client("ssm", endpoint_url=aws.url, config=careless)) as ssm,
        pytest.raises(ClientError, match="executionTime"),
    ):
        put(ssm, [], ExecutionSummary={})


def test_filters_hold_together_and_each_takes_any_of_its_values(ssm: "SSMClient") -> None:
    put(ssm, [item("a", severity="LOW"), item("b", "COMPLIANT"), item("c"), item("ca")])
    put(ssm, [item("d")], ComplianceType="Custom:Inspec")
    assert titles(ssm, where("Status", "NON_COMPLIANT")) == ["a", "c", "ca", "d"]
    assert titles(ssm, where("Severity", "LOW", "CRITICAL")) == ["a"]
    assert titles(ssm, where("Severity", "LOW", by="NOT_EQUAL"), where("Status", "COMPLIANT")) == [
        "b"
    ]
    assert titles(ssm, where("Id", "id of c", by="BEGIN_WITH")) == ["c", "ca"]
    assert titles(ssm, {"Key": "ComplianceType", "Values": ["Custom:Inspec"]}) == ["d"]


def test_the_case_of_a_compliance_type_counts(ssm: "SSMClient") -> None:
    put(ssm, [item()])
    assert summaries(ssm, where("ComplianceType", "Custom:Inspec")) == []
    assert len(summaries(ssm, where("ComplianceType", "Custom:Inspec", "Custom:InSpec"))) == 1


def test_execution_times_can_be_compared(ssm: "SSMClient") -> None:
    put(ssm, [item("old")])
    put(ssm, [item("new")], ComplianceType="Patch", ExecutionSummary={"ExecutionTime": LATER})
    day = "2024-05-17T00:00:00Z"
    assert titles(ssm, where("ExecutionTime", day, by="LESS_THAN")) == ["old"]
    assert titles(ssm, where("ExecutionTime", day, by="GREATER_THAN")) == ["new"]
    assert titles(ssm, where("ExecutionTime", "2024-05-16T23:00:01Z", by="LESS_THAN")) == []
    assert titles(ssm, where("ExecutionTime", "2024-05-16", by="BEGIN_WITH")) == ["old"]


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("InvalidFilter", where("Title", "x")),
        ("InvalidFilter", where("Severity", "LOW", by="LESS_THAN")),
        ("InvalidFilter", where("ExecutionTime", "yesterday", by="LESS_THAN")),
        ("ValidationException", where("Status", "COMPLIANT", by="LIKE")),
        ("ValidationException", where("Id", *map(str, range(21)))),
        ("ValidationException", {"Key": "Id"}),
    ],
)
def test_a_filter_that_ssm_does_not_know_is_refused(
    ssm: "SSMClient", code: str, wrong: Any
) -> None:
    with pytest.raises(ClientError) as refused:
        listed(ssm, wrong)
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("code", "request_"),
    [
        ("ValidationException", {"ResourceIds": [NODE, OTHER]}),
        ("ValidationException", {}),
        ("ValidationException", {"ResourceIds": [NODE], "MaxResults": 51}),
        ("InvalidResourceType", {"ResourceIds": [NODE], "ResourceTypes": ["EC2"]}),
    ],
)
def test_a_listing_is_of_one_managed_instance_in_pages_of_fifty(
    ssm: "SSMClient", code: str, request_: Any
) -> None:
    with pytest.raises(ClientError) as refused:
        ssm.list_compliance_items(**request_)
    assert refused.value.response["Error"]["Code"] == code


def test_a_summary_counts_by_status_and_severity(ssm: "SSMClient") -> None:
    put(
        ssm,
        [item("a", severity="LOW"), item("b"), item("c"), item("d", "COMPLIANT", "CRITICAL")],
    )
    (row,) = summaries(ssm)
    none = dict.fromkeys(SEVERITY_COUNTS, 0)
    assert row == {
        "ComplianceType": "Custom:InSpec",
        "ResourceType": "ManagedInstance",
        "ResourceId": NODE,
        "Status": "NON_COMPLIANT",
        "OverallSeverity": "HIGH",
        "ExecutionSummary": {
            "ExecutionTime": RAN,
            "ExecutionId": "run-1",
            "ExecutionType": "Command",
        },
        "CompliantSummary": {"CompliantCount": 1, "SeveritySummary": none | {"CriticalCount": 1}},
        "NonCompliantSummary": {
            "NonCompliantCount": 3,
            "SeveritySummary": none | {"HighCount": 2, "LowCount": 1},
        },
    }


def test_a_put_of_no_items_leaves_a_row_of_zeros_with_its_execution(ssm: "SSMClient") -> None:
    put(ssm, numbered(2))
    put(ssm, [], ExecutionSummary={"ExecutionTime": LATER, "ExecutionId": "run-2"})
    (row,) = summaries(ssm)
    assert row["Status"] == "COMPLIANT"
    assert row["OverallSeverity"] == "UNSPECIFIED"
    assert row["CompliantSummary"]["CompliantCount"] == 0
    assert row["NonCompliantSummary"]["NonCompliantCount"] == 0
    assert row["ExecutionSummary"] == {"ExecutionTime": LATER, "ExecutionId": "run-2"}


def test_summaries_have_a_row_for_each_node_and_type_in_pages_of_fifty(ssm: "SSMClient") -> None:
    nodes = [f"i-{number:017x}" for number in range(51)]
    for node in nodes:
        put(ssm, [], ResourceId=node)
    put(ssm, [item()], ResourceId=nodes[0], ComplianceType="Custom:Inspec")
    page = ssm.list_resource_compliance_summaries()
    assert len(page["ResourceComplianceSummaryItems"]) == 50
    assert [row["ResourceId"] for row in summaries(ssm)] == [*nodes, nodes[0]]
    assert len(summaries(ssm, where("Status", "NON_COMPLIANT"))) == 1
    assert len(summaries(ssm, where("OverallSeverity", "HIGH"))) == 1


def test_a_forgotten_node_vanishes_from_both_listings(ssm: "SSMClient") -> None:
    put(ssm, [item()])
    put(ssm, [item()], ResourceId=OTHER)
    find_store().forget(NODE)
    assert [row["ResourceId"] for row in summaries(ssm)] == [OTHER]
    assert listed(ssm) == []


def test_regions_keep_their_own_data(aws: AwsServer, ssm: "SSMClient") -> None:
    put(ssm, [item()])
    with closing(
        make_session().client("ssm", endpoint_url=aws.url, region_name="eu-west-1")
    ) as elsewhere:
        assert summaries(elsewhere) == []


def test_the_reset_over_http_clears_items_and_faults(aws: AwsServer, ssm: "SSMClient") -> None:
    put(ssm, [item()])
    find_store().fail_next("ListComplianceItems", "ThrottlingException")
    with urlopen(Request(f"{aws.url}/moto-api/reset", method="POST")):  # noqa: S310 - own server
        assert listed(ssm) == []
    assert summaries(ssm) == []


def test_a_fault_hits_the_calls_it_was_ordered_for(ssm: "SSMClient") -> None:
    put(ssm, numbered(120))
    find_store().fail_next("ListComplianceItems", "ThrottlingException", after=2)
    pages = iter(ssm.get_paginator("list_compliance_items").paginate(ResourceIds=[NODE]))
    assert len(next(pages)["ComplianceItems"]) == 50
    assert len(next(pages)["ComplianceItems"]) == 50
    with pytest.raises(ClientError) as refused:
        next(pages)
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert len(summaries(ssm)) == 1
    assert len(listed(ssm)) == 120


def test_a_server_fault_is_a_500_and_ends_with_its_count(ssm: "SSMClient") -> None:
    find_store().fail_next("ListResourceComplianceSummaries", "InternalServerError", times=2)
    for _ in range(2):
        with pytest.raises(ssm.exceptions.InternalServerError) as refused:
            summaries(ssm)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert summaries(ssm) == []


def test_the_actions_work_in_process_and_registering_twice_changes_nothing() -> None:
    register_compliance()
    register_compliance()
    url = "https://ssm.us-east-1.amazonaws.com"
    with mock_aws(), closing(make_session().client("ssm", endpoint_url=url)) as ssm:
        put(ssm, [item("in process")])
        assert titles(ssm) == ["in process"]


def test_a_taken_port_is_an_error_of_the_system(aws: AwsServer) -> None:
    port = int(aws.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), serve_aws(port):
        pass


def test_the_server_is_quiet_and_gone_afterwards(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with serve_aws() as running, urlopen(f"{running.url}/moto-api/"):  # noqa: S310 - own server
        pass
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name == "werkzeug"]
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{running.url}/moto-api/")  # noqa: S310 - own server


def test_a_server_starts_without_the_data_of_the_one_before() -> None:
    for _ in range(2):
        with (
            serve_aws() as running,
            closing(make_session().client("ssm", endpoint_url=running.url)) as ssm,
        ):
            assert summaries(ssm) == []
            put(ssm, [item()])
