"""The AWS stand-in, called with boto3 as the service calls AWS."""

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


def build_item(
    title: str = "T", status: str = "NON_COMPLIANT", severity: str = "HIGH"
) -> dict[str, Any]:
    return {"Id": f"id of {title}", "Title": title, "Status": status, "Severity": severity}


def build_items(count: int) -> list[dict[str, Any]]:
    return [build_item(f"title {number}") for number in range(count)]


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


def list_items(ssm: "SSMClient", *filters: Any, node: str = NODE) -> list[Any]:
    pages = ssm.get_paginator("list_compliance_items").paginate(
        ResourceIds=[node], ResourceTypes=["ManagedInstance"], Filters=filters
    )
    return [found for page in pages for found in page["ComplianceItems"]]


def list_titles(ssm: "SSMClient", *filters: Any) -> list[str]:
    return [found["Title"] for found in list_items(ssm, *filters)]


def list_summaries(ssm: "SSMClient", *filters: Any) -> list[Any]:
    pages = ssm.get_paginator("list_resource_compliance_summaries").paginate(Filters=filters)
    return [row for page in pages for row in page["ResourceComplianceSummaryItems"]]


def build_filter(key: str, *values: str, by: str = "EQUAL") -> dict[str, Any]:
    return {"Key": key, "Values": list(values), "Type": by}


def test_an_item_is_listed_as_it_was_put_with_an_aware_time(ssm: "SSMClient") -> None:
    put(ssm, [build_item("Überprüfung : café") | {"Details": {"a": "b"}}])
    assert list_items(ssm) == [
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
    assert list_items(ssm)[0]["ExecutionSummary"]["ExecutionTime"].utcoffset() is not None


def test_id_title_and_details_are_absent_if_they_were_not_put(ssm: "SSMClient") -> None:
    put(ssm, [{"Status": "COMPLIANT", "Severity": "LOW"}])
    assert {"Id", "Title", "Details"}.isdisjoint(list_items(ssm)[0])


@pytest.mark.parametrize("count", [0, 1, 50, 51, 1_001])
def test_every_item_is_on_exactly_one_page(ssm: "SSMClient", count: int) -> None:
    put(ssm, build_items(count))
    assert list_titles(ssm) == [f"title {number}" for number in range(count)]


def test_a_page_has_fifty_items_or_the_requested_number(ssm: "SSMClient") -> None:
    put(ssm, build_items(51))
    full = ssm.list_compliance_items(ResourceIds=[NODE])
    small = ssm.list_compliance_items(ResourceIds=[NODE], MaxResults=7)
    rest = ssm.list_compliance_items(ResourceIds=[NODE], NextToken=full["NextToken"])
    assert len(full["ComplianceItems"]) == 50
    assert len(small["ComplianceItems"]) == 7
    assert [found["Title"] for found in rest["ComplianceItems"]] == ["title 50"]
    assert "NextToken" not in rest
    put(ssm, build_items(50))
    assert "NextToken" not in ssm.list_compliance_items(ResourceIds=[NODE])


def test_a_token_of_another_request_or_a_malformed_token_is_refused(ssm: "SSMClient") -> None:
    put(ssm, build_items(51))
    token = ssm.list_compliance_items(ResourceIds=[NODE])["NextToken"]
    for node_ids, wrong in (([OTHER], token), ([NODE], "abc"), ([NODE], "é"), ([NODE], "AAAA")):
        with pytest.raises(ssm.exceptions.InvalidNextToken):
            ssm.list_compliance_items(ResourceIds=node_ids, NextToken=wrong)


def test_a_put_replaces_only_its_type_on_its_node(ssm: "SSMClient") -> None:
    put(ssm, build_items(3))
    put(ssm, [build_item("of the guide's type")], ComplianceType="Custom:Inspec")
    put(ssm, [build_item("elsewhere")], ResourceId=OTHER)
    put(ssm, [build_item("new")], ItemContentHash="ignored", UploadType="COMPLETE")
    assert list_titles(ssm) == ["new", "of the guide's type"]
    assert [found["Title"] for found in list_items(ssm, node=OTHER)] == ["elsewhere"]


def test_a_partial_put_of_associations_keeps_the_other_items(ssm: "SSMClient") -> None:
    put(ssm, [build_item("a", severity="LOW"), build_item("b")], ComplianceType="Association")
    put(ssm, [build_item("a")], ComplianceType="Association", UploadType="PARTIAL")
    assert [(found["Title"], found["Severity"]) for found in list_items(ssm)] == [
        ("b", "HIGH"),
        ("a", "HIGH"),
    ]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("ValidationException", {"items": [build_item("x" * 501)]}),
        ("ValidationException", {"items": [build_item(severity="SEVERE")]}),
        ("ValidationException", {"items": [build_item(status="FAILED")]}),
        ("ValidationException", {"items": [build_item() | {"Details": {"a": "x" * 4097}}]}),
        ("ValidationException", {"items": build_items(10_001)}),
        ("TotalSizeLimitExceededException", {"items": [build_item("é" * 500)] * 1_000}),
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
    put(ssm, [build_item("kept")])
    with pytest.raises(ClientError) as refused:
        put(ssm, **{"items": [build_item("lost")]} | changes)
    assert refused.value.response["Error"]["Code"] == code
    assert list_titles(ssm) == ["kept"]


def test_ten_thousand_items_and_titles_of_500_characters_are_accepted(ssm: "SSMClient") -> None:
    put(ssm, [{"Status": "COMPLIANT", "Severity": "LOW"}] * 9_999 + [build_item("x" * 500)])
    (row,) = list_summaries(ssm)
    assert row["CompliantSummary"]["CompliantCount"] == 9_999
    assert row["NonCompliantSummary"]["NonCompliantCount"] == 1


def test_a_put_without_an_execution_time_is_refused(aws: AwsServer) -> None:
    careless = NO_RETRIES.merge(Config(parameter_validation=False))
    with (
        closing(make_session().client("ssm", endpoint_url=aws.url, config=careless)) as ssm,
        pytest.raises(ClientError, match="executionTime"),
    ):
        put(ssm, [], ExecutionSummary={})


def test_an_item_must_match_every_filter_but_only_one_value_of_each(ssm: "SSMClient") -> None:
    put(
        ssm,
        [
            build_item("a", severity="LOW"),
            build_item("b", "COMPLIANT"),
            build_item("c"),
            build_item("ca"),
        ],
    )
    put(ssm, [build_item("d")], ComplianceType="Custom:Inspec")
    assert list_titles(ssm, build_filter("Status", "NON_COMPLIANT")) == ["a", "c", "ca", "d"]
    assert list_titles(ssm, build_filter("Severity", "LOW", "CRITICAL")) == ["a"]
    assert list_titles(
        ssm, build_filter("Severity", "LOW", by="NOT_EQUAL"), build_filter("Status", "COMPLIANT")
    ) == ["b"]
    assert list_titles(ssm, build_filter("Id", "id of c", by="BEGIN_WITH")) == ["c", "ca"]
    assert list_titles(ssm, {"Key": "ComplianceType", "Values": ["Custom:Inspec"]}) == ["d"]


def test_a_compliance_type_is_case_sensitive(ssm: "SSMClient") -> None:
    put(ssm, [build_item()])
    assert list_summaries(ssm, build_filter("ComplianceType", "Custom:Inspec")) == []
    assert (
        len(list_summaries(ssm, build_filter("ComplianceType", "Custom:Inspec", "Custom:InSpec")))
        == 1
    )


def test_filters_compare_execution_times(ssm: "SSMClient") -> None:
    put(ssm, [build_item("old")])
    put(ssm, [build_item("new")], ComplianceType="Patch", ExecutionSummary={"ExecutionTime": LATER})
    day = "2024-05-17T00:00:00Z"
    assert list_titles(ssm, build_filter("ExecutionTime", day, by="LESS_THAN")) == ["old"]
    assert list_titles(ssm, build_filter("ExecutionTime", day, by="GREATER_THAN")) == ["new"]
    assert (
        list_titles(ssm, build_filter("ExecutionTime", "2024-05-16T23:00:01Z", by="LESS_THAN"))
        == []
    )
    assert list_titles(ssm, build_filter("ExecutionTime", "2024-05-16", by="BEGIN_WITH")) == ["old"]


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("InvalidFilter", build_filter("Title", "x")),
        ("InvalidFilter", build_filter("Severity", "LOW", by="LESS_THAN")),
        ("InvalidFilter", build_filter("ExecutionTime", "yesterday", by="LESS_THAN")),
        ("ValidationException", build_filter("Status", "COMPLIANT", by="LIKE")),
        ("ValidationException", build_filter("Id", *map(str, range(21)))),
        ("ValidationException", {"Key": "Id"}),
    ],
)
def test_an_invalid_filter_is_refused(ssm: "SSMClient", code: str, wrong: Any) -> None:
    with pytest.raises(ClientError) as refused:
        list_items(ssm, wrong)
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
def test_a_listing_needs_one_managed_instance_and_at_most_fifty_results(
    ssm: "SSMClient", code: str, request_: Any
) -> None:
    with pytest.raises(ClientError) as refused:
        ssm.list_compliance_items(**request_)
    assert refused.value.response["Error"]["Code"] == code


def test_a_summary_counts_items_by_status_and_severity(ssm: "SSMClient") -> None:
    put(
        ssm,
        [
            build_item("a", severity="LOW"),
            build_item("b"),
            build_item("c"),
            build_item("d", "COMPLIANT", "CRITICAL"),
        ],
    )
    (row,) = list_summaries(ssm)
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


def test_a_put_without_items_gives_a_row_of_zeros_with_its_execution(ssm: "SSMClient") -> None:
    put(ssm, build_items(2))
    put(ssm, [], ExecutionSummary={"ExecutionTime": LATER, "ExecutionId": "run-2"})
    (row,) = list_summaries(ssm)
    assert row["Status"] == "COMPLIANT"
    assert row["OverallSeverity"] == "UNSPECIFIED"
    assert row["CompliantSummary"]["CompliantCount"] == 0
    assert row["NonCompliantSummary"]["NonCompliantCount"] == 0
    assert row["ExecutionSummary"] == {"ExecutionTime": LATER, "ExecutionId": "run-2"}


def test_each_node_and_type_has_a_summary_in_pages_of_fifty(ssm: "SSMClient") -> None:
    nodes = [f"i-{number:017x}" for number in range(51)]
    for node in nodes:
        put(ssm, [], ResourceId=node)
    put(ssm, [build_item()], ResourceId=nodes[0], ComplianceType="Custom:Inspec")
    page = ssm.list_resource_compliance_summaries()
    assert len(page["ResourceComplianceSummaryItems"]) == 50
    assert [row["ResourceId"] for row in list_summaries(ssm)] == [*nodes, nodes[0]]
    assert len(list_summaries(ssm, build_filter("Status", "NON_COMPLIANT"))) == 1
    assert len(list_summaries(ssm, build_filter("OverallSeverity", "HIGH"))) == 1


def test_a_forgotten_node_is_in_neither_listing(ssm: "SSMClient") -> None:
    put(ssm, [build_item()])
    put(ssm, [build_item()], ResourceId=OTHER)
    find_store().forget(NODE)
    assert [row["ResourceId"] for row in list_summaries(ssm)] == [OTHER]
    assert list_items(ssm) == []


def test_each_region_has_its_own_data(aws: AwsServer, ssm: "SSMClient") -> None:
    put(ssm, [build_item()])
    with closing(
        make_session().client("ssm", endpoint_url=aws.url, region_name="eu-west-1")
    ) as elsewhere:
        assert list_summaries(elsewhere) == []


def test_a_reset_by_http_clears_items_and_faults(aws: AwsServer, ssm: "SSMClient") -> None:
    put(ssm, [build_item()])
    find_store().fail_next("ListComplianceItems", "ThrottlingException")
    with urlopen(Request(f"{aws.url}/moto-api/reset", method="POST")):  # noqa: S310 - own server
        assert list_items(ssm) == []
    assert list_summaries(ssm) == []


def test_a_fault_affects_only_its_planned_calls(ssm: "SSMClient") -> None:
    put(ssm, build_items(120))
    find_store().fail_next("ListComplianceItems", "ThrottlingException", after=2)
    pages = iter(ssm.get_paginator("list_compliance_items").paginate(ResourceIds=[NODE]))
    assert len(next(pages)["ComplianceItems"]) == 50
    assert len(next(pages)["ComplianceItems"]) == 50
    with pytest.raises(ClientError) as refused:
        next(pages)
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert len(list_summaries(ssm)) == 1
    assert len(list_items(ssm)) == 120


def test_a_server_fault_is_a_500_for_its_number_of_calls(ssm: "SSMClient") -> None:
    find_store().fail_next("ListResourceComplianceSummaries", "InternalServerError", times=2)
    for _ in range(2):
        with pytest.raises(ssm.exceptions.InternalServerError) as refused:
            list_summaries(ssm)
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert list_summaries(ssm) == []


def test_the_actions_work_in_mock_aws_and_can_be_registered_twice() -> None:
    register_compliance()
    register_compliance()
    url = "https://ssm.us-east-1.amazonaws.com"
    with mock_aws(), closing(make_session().client("ssm", endpoint_url=url)) as ssm:
        put(ssm, [build_item("in process")])
        assert list_titles(ssm) == ["in process"]


def test_a_taken_port_raises_oserror(aws: AwsServer) -> None:
    port = int(aws.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), serve_aws(port):
        pass


def test_the_server_prints_nothing_and_stops_at_the_end(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with serve_aws() as running, urlopen(f"{running.url}/moto-api/"):  # noqa: S310 - own server
        pass
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if record.name == "werkzeug"]
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{running.url}/moto-api/")  # noqa: S310 - own server


def test_a_new_server_has_no_data_of_an_earlier_server(ssm: "SSMClient") -> None:
    put(ssm, [build_item("of a server that still runs")])
    for _ in range(2):
        with (
            serve_aws() as running,
            closing(make_session().client("ssm", endpoint_url=running.url)) as client,
        ):
            assert list_summaries(client) == []
            put(client, [build_item()])
