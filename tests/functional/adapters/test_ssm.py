from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from chalicelib.adapters.ssm import NO_EXECUTION, SsmCompliance
from chalicelib.domain.compliance import (
    NEVER,
    Doubt,
    Execution,
    Item,
    ItemList,
    SummaryRow,
    find_doubt,
    fold_items,
    group_reports,
)
from chalicelib.domain.errors import Forbidden, Unavailable
from chalicelib.domain.finding import Severity, finding_id
from devstack.aws.compliance_store import Group, find_store

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

NODE = "i-0123456789abcdef0"
SPELLINGS = ("Custom:InSpec", "Custom:Inspec")
RAN = datetime(2026, 1, 31, 8, 0, 1, tzinfo=UTC)
RUN = {"ExecutionTime": RAN, "ExecutionId": "run-1", "ExecutionType": "Command"}


@pytest.fixture
def compliance(ssm: "SSMClient") -> SsmCompliance:
    return SsmCompliance(ssm, SPELLINGS)


def make_items(count: int) -> list[dict[str, Any]]:
    return [
        {"Id": f"c-{each}", "Title": f"t {each}", "Status": "NON_COMPLIANT", "Severity": "HIGH"}
        for each in range(count)
    ]


def put(ssm: "SSMClient", items: Sequence[Any], **changes: Any) -> None:
    request = {
        "ResourceId": NODE,
        "ResourceType": "ManagedInstance",
        "ComplianceType": "Custom:InSpec",
        "ExecutionSummary": RUN,
        "Items": items,
    }
    ssm.put_compliance_items(**request | changes)


def make_raw_item(**fields: Any) -> dict[str, Any]:
    """Returns an item as SSM may list it, even if PutComplianceItems would refuse it."""
    return {
        "ComplianceType": "Custom:InSpec",
        "ResourceType": "ManagedInstance",
        "ResourceId": NODE,
        "Status": "NON_COMPLIANT",
        "ExecutionSummary": RUN,
        **fields,
    }


# Pages


@pytest.mark.parametrize("count", [0, 1, 50, 51, 1_001])
def test_every_item_of_every_page_is_read_once(
    ssm: "SSMClient", compliance: SsmCompliance, count: int
) -> None:
    passing = [{"Id": "ok", "Title": "ok", "Status": "COMPLIANT", "Severity": "LOW"}]
    put(ssm, make_items(count) + passing)
    found = compliance.items(NODE, ["Custom:InSpec"])
    assert [item.title for item in found] == [f"t {each}" for each in range(count)]

    (row,) = compliance.summaries()
    assert (row.execution, row.compliant) == (Execution("run-1", RAN, count), 1)


def test_every_row_of_every_page_is_read_once(ssm: "SSMClient", compliance: SsmCompliance) -> None:
    nodes = [f"i-{number:017x}" for number in range(51)]
    for node in nodes:
        put(ssm, make_items(1), ResourceId=node)

    assert [row.instance_id for row in compliance.summaries()] == nodes


def test_requests_ask_for_the_largest_pages(ssm: "SSMClient", compliance: SsmCompliance) -> None:
    requests: list[Any] = []

    def record(params: Any, **_: Any) -> None:
        requests.append(params)

    ssm.meta.events.register("provide-client-params.ssm", record)
    compliance.summaries()
    compliance.items(NODE, SPELLINGS)
    ssm.meta.events.unregister("provide-client-params.ssm", record)
    types = {"Key": "ComplianceType", "Values": list(SPELLINGS), "Type": "EQUAL"}
    status = {"Key": "Status", "Values": ["NON_COMPLIANT"], "Type": "EQUAL"}
    assert requests == [
        {"Filters": [types], "MaxResults": 50},
        {
            "ResourceIds": [NODE],
            "ResourceTypes": ["ManagedInstance"],
            "Filters": [types, status],
            "MaxResults": 50,
        },
    ]


@pytest.mark.parametrize(
    "operation", ["list_resource_compliance_summaries", "list_compliance_items"]
)
def test_a_repeated_page_token_ends_the_read(ssm: "SSMClient", operation: str) -> None:
    compliance = SsmCompliance(ssm, SPELLINGS)
    rows = "ResourceComplianceSummaryItems" if "summ" in operation else "ComplianceItems"
    with Stubber(ssm) as stub:
        for _ in range(3):
            stub.add_response(operation, {"NextToken": "again", rows: []})
        with pytest.raises(Unavailable, match="token"):
            compliance.summaries() if "summ" in operation else compliance.items(NODE, SPELLINGS)


@pytest.mark.parametrize(
    "operation", ["list_resource_compliance_summaries", "list_compliance_items"]
)
def test_a_response_without_a_list_is_not_an_empty_list(ssm: "SSMClient", operation: str) -> None:
    compliance = SsmCompliance(ssm, SPELLINGS)
    with Stubber(ssm) as stub:
        stub.add_response(operation, {})
        with pytest.raises(Unavailable, match="without"):
            compliance.summaries() if "summ" in operation else compliance.items(NODE, SPELLINGS)


# Types


def test_each_spelling_of_the_type_has_its_own_row(
    ssm: "SSMClient", compliance: SsmCompliance
) -> None:
    for count, spelling in enumerate(SPELLINGS, start=1):
        put(ssm, make_items(count), ComplianceType=spelling)
    rows = compliance.summaries()

    assert [(row.compliance_type, row.execution.count) for row in rows] == [
        ("Custom:InSpec", 1),
        ("Custom:Inspec", 2),
    ]
    assert len(compliance.items(NODE, ["Custom:Inspec"])) == 2
    assert len(compliance.items(NODE, SPELLINGS)) == 3


def test_other_types_are_ignored(ssm: "SSMClient", compliance: SsmCompliance) -> None:
    put(ssm, make_items(2), ComplianceType="Custom:Other")

    assert compliance.summaries() == ()
    assert list(compliance.items(NODE, SPELLINGS)) == []


def test_rows_of_other_types_are_ignored_even_if_the_filter_returns_them(ssm: "SSMClient") -> None:
    def row(compliance_type: str, resource_type: str = "ManagedInstance") -> dict[str, Any]:
        return {
            "ComplianceType": compliance_type,
            "ResourceType": resource_type,
            "ResourceId": NODE,
            "ExecutionSummary": RUN,
        }

    rows = [row("CUSTOM:INSPEC"), row("Custom:Other"), row("Custom:InSpec", "Something"), {}]
    with Stubber(ssm) as stub:
        stub.add_response(
            "list_resource_compliance_summaries", {"ResourceComplianceSummaryItems": rows}
        )
        found = SsmCompliance(ssm, SPELLINGS).summaries()
    assert [each.compliance_type for each in found] == ["CUSTOM:INSPEC"]


# Missing fields


def test_any_field_of_an_item_can_be_missing(compliance: SsmCompliance) -> None:
    bare = {"ComplianceType": "Custom:InSpec", "ResourceId": NODE, "Status": "NON_COMPLIANT"}
    items = (
        make_raw_item(Title="no id", Severity="HIGH"),
        make_raw_item(Id="no-title", Severity="HIGH"),
        make_raw_item(Id="odd", Title="odd severity", Severity="Catastrophic"),
        bare,
    )
    find_store().put(Group(NODE, "Custom:InSpec", RUN, items))
    found = compliance.items(NODE, ["Custom:InSpec"])
    assert [(each.item_id, each.title, each.execution_id) for each in found] == [
        (None, "no id", "run-1"),
        ("no-title", None, "run-1"),
        ("odd", "odd severity", "run-1"),
        (None, None, ""),
    ]

    folded = fold_items(NODE, found.items)
    assert [(seen.title, seen.severity) for seen in folded.observations] == [
        ("no id", Severity.HIGH),
        ("odd severity", Severity.UNSPECIFIED),
    ]
    assert folded.untitled == 2


def read_rows(ssm: "SSMClient", **fields: Any) -> tuple[SummaryRow, ...]:
    row = {
        "ComplianceType": "Custom:InSpec",
        "ResourceType": "ManagedInstance",
        "ResourceId": NODE,
        **fields,
    }
    compliance = SsmCompliance(ssm, SPELLINGS)
    with Stubber(ssm) as stub:
        stub.add_response(
            "list_resource_compliance_summaries", {"ResourceComplianceSummaryItems": [row]}
        )
        return compliance.summaries()


def test_a_missing_count_is_zero(ssm: "SSMClient") -> None:
    (row,) = read_rows(ssm, ExecutionSummary=RUN)

    assert (row.execution.count, row.compliant) == (0, 0)
    assert row.checked_nothing


def test_an_execution_without_an_id_is_identified_by_its_time(ssm: "SSMClient") -> None:
    (row,) = read_rows(
        ssm,
        ExecutionSummary={"ExecutionTime": RAN},
        NonCompliantSummary={"NonCompliantCount": 1},
    )
    assert row.execution == Execution(f"at {RAN.timestamp()}", RAN, 1)


def test_two_executions_without_ids_differ_by_their_times(
    ssm: "SSMClient", compliance: SsmCompliance
) -> None:
    earlier = {"ExecutionTime": RAN - timedelta(hours=1), "ExecutionType": "Command"}
    put(ssm, make_items(1), ExecutionSummary=earlier)
    stale = compliance.items(NODE, ["Custom:InSpec"])
    put(ssm, make_items(1), ExecutionSummary={"ExecutionTime": RAN, "ExecutionType": "Command"})
    (row,) = compliance.summaries()

    report = group_reports([row], RAN)[NODE]

    assert find_doubt(report, stale.items) is Doubt.EXECUTION_DIFFERS
    assert find_doubt(report, compliance.items(NODE, ["Custom:InSpec"]).items) is None


@pytest.mark.parametrize("year", [1, 1999])
def test_an_absurd_execution_time_is_ignored(ssm: "SSMClient", year: int) -> None:
    absurd = datetime(year, 6, 1, tzinfo=UTC)
    (row,) = read_rows(
        ssm,
        ExecutionSummary={"ExecutionTime": absurd, "ExecutionId": "run-1"},
        NonCompliantSummary={"NonCompliantCount": 1},
    )

    assert row.execution == Execution(NO_EXECUTION, NEVER, 1)


def test_a_row_without_an_execution_is_never_verified(
    ssm: "SSMClient", compliance: SsmCompliance
) -> None:
    (row,) = read_rows(ssm, NonCompliantSummary={"NonCompliantCount": 1})
    assert (row.execution.executed_at, row.execution.count) == (NEVER, 1)

    item = {
        key: value for key, value in make_raw_item(Title="t").items() if key != "ExecutionSummary"
    }
    find_store().put(Group(NODE, "Custom:InSpec", RUN, (item,)))
    report = group_reports([row], RAN)[NODE]
    assert find_doubt(report, compliance.items(NODE, report.types).items) is Doubt.NO_EXECUTION


def test_times_are_in_utc(ssm: "SSMClient", compliance: SsmCompliance) -> None:
    put(ssm, make_items(1))
    (row,) = compliance.summaries()

    assert row.execution.executed_at.tzinfo is UTC


# Errors


def test_throttling_is_unavailable(compliance: SsmCompliance) -> None:
    for operation in ("ListComplianceItems", "ListResourceComplianceSummaries"):
        find_store().fail_next(operation, "ThrottlingException")

    with pytest.raises(Unavailable, match=NODE):
        compliance.items(NODE, SPELLINGS)

    with pytest.raises(Unavailable, match="summaries"):
        compliance.summaries()


def test_a_failed_page_fails_the_whole_read(ssm: "SSMClient", compliance: SsmCompliance) -> None:
    put(ssm, make_items(101))
    find_store().fail_next("ListComplianceItems", "InternalServerError", after=2)

    with pytest.raises(Unavailable, match=NODE):
        compliance.items(NODE, SPELLINGS)


def test_a_missing_permission_is_forbidden(compliance: SsmCompliance) -> None:
    find_store().fail_next("ListComplianceItems", "AccessDeniedException")

    with pytest.raises(Forbidden, match="policy"):
        compliance.items(NODE, SPELLINGS)


def test_nodes_can_be_read_in_threads(ssm: "SSMClient", compliance: SsmCompliance) -> None:
    nodes = [f"i-{number:017x}" for number in range(8)]
    for count, node in enumerate(nodes, start=48):
        put(ssm, make_items(count), ResourceId=node)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda node: len(compliance.items(node, SPELLINGS)), nodes))

    assert found == list(range(48, 56))


def test_a_title_with_half_a_surrogate_pair_has_a_finding_id(
    client: "SSMClient", compliance: SsmCompliance
) -> None:
    with Stubber(client) as stub:
        broken = make_raw_item(Id="c-\udfff", Title="lone \ud800 half", Severity="LOW")
        stub.add_response("list_compliance_items", {"ComplianceItems": [broken]})
        (found,) = compliance.items(NODE, ["Custom:InSpec"])
    (observation,) = fold_items(NODE, [found]).observations

    assert finding_id(NODE, observation.title) == finding_id(NODE, "lone ? half")


# Fields of an impossible form, over HTTP


SANE = NODE[:-1] + "1"
IMPOSSIBLE_TIMES: list[Any] = [
    253402300800,
    253402300800.5,
    -62135596801,
    946684799,
    1e300,
    float("inf"),
    float("nan"),
    10**400,
    "0000-00-00",
    "+10000-01-01T00:00:00Z",
    "yesterday",
    "",
    True,
    {"Time": 1},
    [1],
    {},
]
IMPOSSIBLE_COUNTS: list[Any] = [-1, True, "3", 1.5, {"Count": 3}, [], 2**31, 10**400]


def read_beside_a_sane_node(
    ssm: "SSMClient", compliance: SsmCompliance, **fields: Any
) -> SummaryRow:
    """Changes a row in the list of the service, and returns how it is read."""
    put(ssm, make_items(2), ResourceId=SANE)
    put(ssm, make_items(2))
    find_store().change_summary(NODE, "Custom:InSpec", **fields)
    rows = {row.instance_id: row for row in compliance.summaries()}

    assert rows[SANE] == SummaryRow(SANE, "Custom:InSpec", Execution("run-1", RAN, 2), 0)
    return rows[NODE]


@pytest.mark.parametrize("at", IMPOSSIBLE_TIMES)
def test_a_row_with_an_impossible_time_hurts_no_other_row(
    ssm: "SSMClient", compliance: SsmCompliance, at: object
) -> None:
    run = {"ExecutionTime": at, "ExecutionId": "run-1"}

    row = read_beside_a_sane_node(ssm, compliance, ExecutionSummary=run)

    assert (row.execution, row.flaw) == (Execution(NO_EXECUTION, NEVER, 2), Doubt.NO_EXECUTION)


@pytest.mark.parametrize("at", [946684800, 253402300799, "1999-12-31T23:00:00-02:00", "1e9"])
def test_a_time_from_the_year_2000_to_9999_is_possible(
    ssm: "SSMClient", compliance: SsmCompliance, at: object
) -> None:
    run = {"ExecutionTime": at, "ExecutionId": "run-1"}

    row = read_beside_a_sane_node(ssm, compliance, ExecutionSummary=run)

    assert (row.execution.execution_id, row.flaw) == ("run-1", None)


@pytest.mark.parametrize("summary", [None, {}, "run-1", 5, True, [], {"ExecutionId": "run-1"}])
def test_a_row_without_an_execution_hurts_no_other_row(
    ssm: "SSMClient", compliance: SsmCompliance, summary: object
) -> None:
    row = read_beside_a_sane_node(ssm, compliance, ExecutionSummary=summary)

    assert row.flaw is Doubt.NO_EXECUTION


@pytest.mark.parametrize("name", ["Compliant", "NonCompliant"])
@pytest.mark.parametrize("count", IMPOSSIBLE_COUNTS)
def test_a_row_with_an_impossible_count_hurts_no_other_row(
    ssm: "SSMClient", compliance: SsmCompliance, name: str, count: object
) -> None:
    fields = {f"{name}Summary": {f"{name}Count": count}}

    row = read_beside_a_sane_node(ssm, compliance, **fields)

    assert row.flaw is Doubt.NO_COUNT


@pytest.mark.parametrize("name", ["Compliant", "NonCompliant"])
@pytest.mark.parametrize("summary", [None, {}, 3, "3", [3]])
def test_a_row_without_a_count_hurts_no_other_row(
    ssm: "SSMClient", compliance: SsmCompliance, name: str, summary: object
) -> None:
    row = read_beside_a_sane_node(ssm, compliance, **{f"{name}Summary": summary})

    assert row.flaw is Doubt.NO_COUNT


@pytest.mark.parametrize("node", [None, "", 5, {}, "i-1#1", "i-\udfff", "i-" + "0" * 300])
def test_a_row_without_a_possible_node_id_belongs_to_nobody(
    ssm: "SSMClient", compliance: SsmCompliance, node: object
) -> None:
    put(ssm, make_items(2), ResourceId=SANE)
    put(ssm, make_items(2))
    find_store().change_summary(NODE, "Custom:InSpec", ResourceId=node)

    assert [row.instance_id for row in compliance.summaries()] == [SANE]


@pytest.mark.parametrize("value", [5, True, {}, []])
@pytest.mark.parametrize("name", ["Id", "Title", "Severity", "Details", "ExecutionSummary"])
def test_a_field_of_an_item_with_another_form_is_absent(
    ssm: "SSMClient", compliance: SsmCompliance, name: str, value: object
) -> None:
    fields = {"Id": "c-1", "Title": "t", "Severity": "HIGH", "Details": {}, name: value}
    sound = make_raw_item(Id="c-2", Title="sound", Severity="LOW")
    put(ssm, [])
    find_store().put(Group(NODE, "Custom:InSpec", RUN, (make_raw_item(**fields), sound)))

    odd, second = compliance.items(NODE, ["Custom:InSpec"])

    assert second == Item("Custom:InSpec", "run-1", "c-2", "sound", "LOW")
    absent = {"Id": odd.item_id, "Title": odd.title, "Severity": odd.severity}
    assert absent.get(name) is None
    assert odd.execution_id == ("" if name == "ExecutionSummary" else "run-1")


@pytest.mark.parametrize("at", IMPOSSIBLE_TIMES)
def test_an_item_with_an_impossible_time_hurts_no_other_item(
    compliance: SsmCompliance, at: object
) -> None:
    odd = make_raw_item(Title="odd", ExecutionSummary={"ExecutionTime": at})
    find_store().put(Group(NODE, "Custom:InSpec", RUN, (odd, make_raw_item(Title="sound"))))

    found = compliance.items(NODE, ["Custom:InSpec"])

    assert [(each.title, each.execution_id) for each in found] == [("odd", ""), ("sound", "run-1")]


def test_an_item_that_is_no_structure_still_counts(compliance: SsmCompliance) -> None:
    """So the number of items does not fit the summary, or the item its execution."""
    answer = b'{"ComplianceItems": [null, 5, "text", {"Title": "sound"}]}'

    found = answer_with(compliance, answer)

    assert [each.title for each in found] == [None, None, None, "sound"]


@pytest.mark.parametrize(
    "answer",
    [b"", b"no JSON", b"[]", b"5", b"null", b'{"ComplianceItems": {}}', b'{"ComplianceItems": 5}'],
)
def test_a_page_of_another_form_is_not_an_empty_list(
    compliance: SsmCompliance, answer: bytes
) -> None:
    with pytest.raises(Unavailable):
        answer_with(compliance, answer)


def answer_with(compliance: SsmCompliance, content: bytes) -> ItemList:
    """Reads a node while the service answers with this content."""
    events = compliance._client.meta.events

    def replace_content(response_dict: dict[str, Any], **_: object) -> None:
        response_dict["body"] = content

    name = "before-parse.ssm.ListComplianceItems"
    events.register_first(name, replace_content)
    try:
        return compliance.items(NODE, ["Custom:InSpec"])
    finally:
        events.unregister(name, replace_content)


def test_a_filter_has_at_most_20_types(ssm: "SSMClient") -> None:
    types = [f"Custom:Type{number}" for number in range(45)]
    compliance = SsmCompliance(ssm, types[:20])
    for name in types:
        put(ssm, make_items(1), ComplianceType=name)

    found = compliance.items(NODE, types)

    assert (len(found), found.pages) == (45, 3)
