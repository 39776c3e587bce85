from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import devstack
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from devstack.inspec.loader import LoadResult, load_report
from devstack.inspec.report import ReportError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

SAMPLES = Path(devstack.__file__).parent / "samples"
NODE = "i-0123456789abcdef0"
RAN = datetime(2024, 5, 16, 23, 0, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def client(server: AwsServer) -> Iterator["SSMClient"]:
    with closing(make_session().client("ssm", endpoint_url=server.url)) as ssm:
        yield ssm


@pytest.fixture
def ssm(server: AwsServer, client: "SSMClient") -> "SSMClient":
    server.reset()
    return client


def read_sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def read_summary(ssm: "SSMClient") -> Any:
    (row,) = ssm.list_resource_compliance_summaries()["ResourceComplianceSummaryItems"]
    return row


def list_failing(ssm: "SSMClient") -> list[Any]:
    return ssm.list_compliance_items(
        ResourceIds=[NODE], Filters=[{"Key": "Status", "Values": ["NON_COMPLIANT"]}]
    )["ComplianceItems"]


def test_ssm_lists_a_loaded_report(ssm: "SSMClient") -> None:
    loaded = load_report(ssm, read_sample("amazon-bad"), NODE, RAN, "run-1")
    assert loaded == LoadResult(items=43, non_compliant=15, cut_titles=0, warnings=())
    row = read_summary(ssm)
    assert row["ComplianceType"] == "Custom:InSpec"
    assert row["CompliantSummary"]["CompliantCount"] == 28
    assert row["NonCompliantSummary"]["NonCompliantCount"] == 15
    assert row["ExecutionSummary"] == {
        "ExecutionTime": RAN,
        "ExecutionId": "run-1",
        "ExecutionType": "Command",
    }
    assert len(list_failing(ssm)) == 15


def test_a_second_report_replaces_the_first(ssm: "SSMClient") -> None:
    load_report(ssm, read_sample("amazon-bad"), NODE, RAN, "run-1")
    load_report(ssm, read_sample("amazon-good"), NODE, RAN, "run-2")
    assert len(list_failing(ssm)) == 3
    assert {found["ExecutionSummary"]["ExecutionId"] for found in list_failing(ssm)} == {"run-2"}


def test_hostile_and_too_long_titles_are_loaded_and_the_cut_is_reported(ssm: "SSMClient") -> None:
    assert load_report(ssm, read_sample("nasty"), NODE, RAN, "run-1").cut_titles == 1
    found = {item["Id"]: item["Title"] for item in list_failing(ssm)}
    assert found["=cmd|calc-0"].startswith('=HYPERLINK("http://x","a"), "quoted"; semi\nsecond')
    assert max(map(len, found.values())) == 500


def test_a_report_without_results_gives_zeros_and_a_warning(ssm: "SSMClient") -> None:
    loaded = load_report(ssm, read_sample("unsupported-platform"), NODE, RAN, "run-1")
    assert loaded.items == 0
    assert "did not run" in loaded.warnings[0]
    row = read_summary(ssm)
    assert row["CompliantSummary"]["CompliantCount"] == 0
    assert row["NonCompliantSummary"]["NonCompliantCount"] == 0


def test_a_report_that_is_too_large_for_ssm_is_refused_and_changes_nothing(
    ssm: "SSMClient",
) -> None:
    load_report(ssm, read_sample("amazon-bad"), NODE, RAN, "run-1")
    results = ", ".join(['{"status": "failed", "code_desc": "%s"}' % ("x" * 400)] * 2_500)
    control = f'{{"id": "c", "title": "T", "impact": 1, "results": [{results}]}}'
    large = f'{{"profiles": [{{"name": "p", "controls": [{control}]}}]}}'
    with pytest.raises(ReportError, match=f"{NODE} is too large for SSM \\(2500 results\\)"):
        load_report(ssm, large.encode(), NODE, RAN, "run-2")
    assert len(list_failing(ssm)) == 15


@pytest.mark.parametrize("valid", ["i-01234567", "mi-0123456789abcdef0"])
def test_short_and_hybrid_instance_ids_are_valid(ssm: "SSMClient", valid: str) -> None:
    assert load_report(ssm, read_sample("amazon-good"), valid, RAN, "run-1").non_compliant == 3


@pytest.mark.parametrize(
    "invalid", ["", "web-1", "i-0123456789ABCDEF0", "mi-01234567", f"{NODE}\n"]
)
def test_an_invalid_instance_id_is_refused(ssm: "SSMClient", invalid: str) -> None:
    with pytest.raises(ValueError, match="is not an instance id"):
        load_report(ssm, read_sample("amazon-good"), invalid, RAN, "run-1")


def test_a_naive_time_is_refused(ssm: "SSMClient") -> None:
    with pytest.raises(ValueError, match="no time zone"):
        load_report(ssm, read_sample("amazon-good"), NODE, RAN.replace(tzinfo=None), "run-1")
