import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import devstack
from devstack.__main__ import main
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from devstack.inspec.loader import LoadResult, load_report
from devstack.inspec.report_json import ReportError
from devstack.stack import RunningStack, publish_running

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
    assert loaded == LoadResult(43, non_compliant=15, findings=15, cut_titles=0, warnings=())
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


def test_a_title_over_500_characters_changes_nothing(ssm: "SSMClient") -> None:
    load_report(ssm, read_sample("amazon-bad"), NODE, RAN, "run-1")
    with pytest.raises(ReportError, match="1 title is over SSM's limit"):
        load_report(ssm, read_sample("nasty"), NODE, RAN, "run-2")
    assert {found["ExecutionSummary"]["ExecutionId"] for found in list_failing(ssm)} == {"run-1"}
    assert len(list_failing(ssm)) == 15


def test_hostile_titles_are_loaded_and_too_long_ones_cut(ssm: "SSMClient") -> None:
    loaded = load_report(ssm, read_sample("nasty"), NODE, RAN, "run-1", cut_titles=True)
    assert loaded.cut_titles == 1
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
    with pytest.raises(ReportError, match="The 2,500 results of the report are over 800 KB"):
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


def build_report(*code_descs: str) -> bytes:
    results = [{"status": "failed", "code_desc": code_desc} for code_desc in code_descs]
    control = {"id": "c", "title": "T", "impact": 1, "results": results}
    return json.dumps({"profiles": [{"name": "base", "controls": [control]}]}).encode()


@pytest.fixture
def load(
    server: AwsServer,
    ssm: "SSMClient",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., int]]:
    """The command of a user: `load(report, *options)` returns the exit code."""
    del ssm
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "1000")

    def run_load(report: bytes, *options: str) -> int:
        (tmp_path / "report.json").write_bytes(report)
        return main(["load", "report.json", "--instance", NODE, *options])

    with publish_running(RunningStack(server.url, server.url, {})):
        yield run_load


X, Y = "x" * 600, "x" * 601
WHY = "in Slack and the API: a finding is one title on one node, and"
ANOTHER = "the title of another."
FAILS = "AWS-RunInspecChecks cuts nothing: it would fail, and the node would keep its old items."


@pytest.mark.parametrize(
    ("report", "options", "lines"),
    [
        (build_report("a"), [], ["1 compliance item, 1 non-compliant"]),
        (build_report("a", "b"), [], ["2 compliance items, 2 non-compliant"]),
        (
            build_report("a", "a"),
            [],
            [
                "2 compliance items, 2 non-compliant",
                f"The 2 non-compliant items are 1 finding {WHY} 1 item repeats {ANOTHER}",
            ],
        ),
        (
            build_report("a", "a", "a", "b"),
            [],
            [
                "4 compliance items, 4 non-compliant",
                f"The 4 non-compliant items are 2 findings {WHY} 2 items repeat {ANOTHER}",
            ],
        ),
        (
            build_report("a", X),
            ["--cut-titles"],
            [
                "2 compliance items, 2 non-compliant",
                f"1 title was cut to 500 characters. {FAILS}",
            ],
        ),
        (
            build_report(X, Y),
            ["--cut-titles"],
            [
                "2 compliance items, 2 non-compliant",
                f"The 2 non-compliant items are 1 finding {WHY} 1 item repeats {ANOTHER}",
                f"2 titles were cut to 500 characters. {FAILS}",
            ],
        ),
        (
            build_report(*map(str, range(1_001))),
            [],
            ["1,001 compliance items, 1,001 non-compliant"],
        ),
    ],
)
def test_the_command_says_what_it_loaded(
    load: Callable[..., int],
    report: bytes,
    options: list[str],
    lines: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert load(report, *options) == 0
    assert capsys.readouterr().out.splitlines() == [f"{NODE}: {line}" for line in lines]


def test_the_command_warns_of_a_skipped_profile_with_its_reason(
    load: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    profile = {
        "name": "base",
        "status": "skipped",
        "skip_message": "[red]No Linux.",
        "controls": [],
    }
    assert load(json.dumps({"profiles": [profile]}).encode()) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{NODE}: 0 compliance items, 0 non-compliant",
        "Warning: Profile base did not run: [red]No Linux.",
        "Warning: Nothing was checked: the report has neither passed nor failed results.",
    ]


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (build_report("a", X), "load failed: 1 title is over SSM's limit of 500 characters"),
        (b'{"name": "base", "controls": []}', "load failed: The report is an exported profile"),
        (b'{"profiles": "\xff"}', "load failed: The report is not UTF-8 text"),
    ],
)
def test_the_command_refuses_a_report_in_one_line_and_changes_nothing(
    load: Callable[..., int],
    ssm: "SSMClient",
    report: bytes,
    reason: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    load_report(ssm, read_sample("amazon-bad"), NODE, RAN, "run-1")

    assert load(report) == 1

    output = capsys.readouterr()
    assert output.out == ""
    (line,) = output.err.splitlines()
    assert line.startswith(reason)
    assert len(list_failing(ssm)) == 15
