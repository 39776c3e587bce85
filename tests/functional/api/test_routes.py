"""The response of each route over real HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest

from chalicelib import bootstrap
from chalicelib.domain.finding import finding_id
from devstack.stack import store_controls
from ops.controls import PROFILE, read_controls
from tests.functional.api.client import ApiClient, open_api
from tests.functional.service import NODE, Service

pytestmark = pytest.mark.enable_socket

SNOOZE = {"reason": "fix_scheduled", "comment": "ticket 42", "duration": "P1D"}
FINDING = f"/v1/findings/{finding_id(NODE, 'A')}"


@pytest.fixture
def api(service: Service) -> Iterator[ApiClient]:
    service.report("A", "B", "C")
    service.scan()
    with open_api(service) as api:
        yield api


def test_the_link_header_leads_from_page_to_page(api: ApiClient) -> None:
    titles, path = [], "/v1/findings?limit=2"
    while True:
        page = api.get(path)
        assert page.status == 200
        titles += [item["title"] for item in page.json["items"]]
        if "link" not in page.headers:
            break
        target, relation = page.headers["link"].split("; ")
        assert relation == 'rel="next"'
        path = f"/v1/findings{target.strip('<>')}"

    assert sorted(titles) == ["A", "B", "C"]
    assert page.json["next"] is None


def test_each_parameter_filters_the_findings(api: ApiClient) -> None:
    for query, count in {
        f"instance_id={NODE}": 3,
        "instance_id=i-00000000": 0,
        "title=A": 1,
        f"title=A&instance_id={NODE}": 1,
        "severity=HIGH": 3,
        "severity=LOW": 0,
        "control_id=c": 3,
        "state=open": 3,
        "state=snoozed": 0,
        "q=zzz": 0,
        f"q={NODE[-6:].upper()}": 3,
    }.items():
        assert len(api.get(f"/v1/findings?{query}").json["items"]) == count, query


def test_a_cursor_of_another_list_or_filter_is_refused(api: ApiClient) -> None:
    cursor = api.get("/v1/findings?limit=1").json["next"]

    assert api.get(f"/v1/findings?limit=2&cursor={cursor}").status == 200
    for path in (f"/v1/findings?title=A&cursor={cursor}", f"/v1/snoozes?cursor={cursor}"):
        assert api.get(path).faults == [("cursor", "cursor")]


def test_a_csv_holds_every_match(api: ApiClient) -> None:
    response = api.get("/v1/findings?format=csv&title=A")

    assert response.status == 200
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.content.startswith(b"\xef\xbb\xbf")
    assert response.content.count(b"\r\n") == 2


def test_a_finding_has_its_snoozes_and_its_history(api: ApiClient) -> None:
    assert api.call("PUT", f"{FINDING}/snooze", SNOOZE).status == 201

    finding = api.get(FINDING).json
    assert (finding["title"], finding["state"]) == ("A", "snoozed")
    assert finding["snoozed_by"]["created_by"] == "operator-token"
    assert [each["reason"] for each in finding["snoozes"]] == ["fix_scheduled"]

    events = api.get(f"{FINDING}/events").json["items"]
    assert [(each["kind"], each["by"]) for each in events] == [
        ("new", "ec2-inspec-scan"),
        ("snooze created", "operator-token"),
    ]


def test_a_repeated_put_gets_the_same_response(api: ApiClient) -> None:
    ends_at = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0).isoformat()
    body = {"reason": "accepted_risk", "comment": "ticket 42", "ends_at": ends_at}
    first = api.call("PUT", f"{FINDING}/snooze", body)

    second = api.call("PUT", f"{FINDING}/snooze", body)

    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json
    assert first.headers["etag"] == second.headers["etag"] == '"1"'


def test_a_deleted_snooze_opens_the_finding_at_once(api: ApiClient) -> None:
    api.call("PUT", f"{FINDING}/snooze", SNOOZE)

    for _ in range(2):
        assert api.call("DELETE", f"{FINDING}/snooze").status == 204
    assert api.get(FINDING).json["state"] == "open"


def test_a_rule_is_created_changed_and_ended_with_its_history(api: ApiClient) -> None:
    rule = SNOOZE | {"title": "A"}
    created = api.call("POST", "/v1/snoozes", rule)
    assert (created.status, created.headers["etag"]) == (201, '"1"')

    path = f"/v1/{created.headers['location']}"
    assert api.get(path).json == created.json

    again = api.call("POST", "/v1/snoozes", rule)
    assert again.status == 409
    assert again.headers["link"] == f'<{created.headers["location"]}>; rel="related"'

    stale = api.call("PATCH", path, {"comment": "ticket 43"}, {"If-Match": '"7"'})
    assert stale.status == 412

    changed = api.call("PATCH", path, {"comment": "ticket 43"}, {"If-Match": '"1"'})
    assert (changed.status, changed.headers["etag"]) == (200, '"2"')
    assert changed.json["comment"] == "ticket 43"

    assert api.call("DELETE", path, headers={"If-Match": '"1"'}).status == 412
    for _ in range(2):
        assert api.call("DELETE", path).status == 204
    assert api.get(path).json["state"] == "ended"
    assert api.call("PATCH", path, {"comment": "ticket 44"}).faults == [("", "ended")]

    events = api.get(f"{path}/events").json["items"]
    kinds = [each["kind"] for each in events]
    comments = {"before": "ticket 42", "after": "ticket 43"}
    assert ["changes" in each for each in events] == [False, True, True]
    assert events[1]["changes"] == {"comment": comments}
    assert kinds == ["snooze created", "snooze changed", "snooze ended"]
    assert [each["state"] for each in api.get("/v1/snoozes?state=ended").json["items"]] == ["ended"]
    assert api.get("/v1/snoozes?state=active").json["items"] == []


def test_a_malformed_etag_is_refused(api: ApiClient) -> None:
    created = api.call("POST", "/v1/snoozes", SNOOZE | {"title": "A"}).headers["location"]
    refused = api.call("DELETE", f"/v1/{created}", headers={"If-Match": "one"})

    assert (refused.status, refused.faults) == (400, [("If-Match", "etag")])


def test_a_dry_run_counts_matches_and_stores_nothing(api: ApiClient) -> None:
    response = api.call("POST", "/v1/snoozes?dry_run=true", SNOOZE | {"instance_id": NODE})

    assert (response.status, response.json["total"]) == (200, 3)
    assert response.json["by_severity"] == {"HIGH": 3}
    assert len(response.json["sample"]) == 3
    assert api.get("/v1/snoozes").json["items"] == []


def test_nodes_scans_and_the_summary_are_listed(api: ApiClient) -> None:
    (node,) = api.get("/v1/nodes").json["items"]
    assert (node["instance_id"], node["open"]) == (NODE, {"HIGH": 3})

    (scan,) = api.get("/v1/scans").json["items"]
    assert (scan["findings_new"], scan["delivery"]) == (3, "sent")

    summary = api.get("/v1/summary").json
    assert (summary["open"], summary["nodes_known"]) == ({"HIGH": 3}, 1)
    assert summary["last_scan_id"] == scan["scan_id"]


def test_a_warm_process_reads_the_fleet_once_after_each_scan(
    api: ApiClient, service: Service
) -> None:
    def count_reads() -> int:
        bootstrap.runtime().calls.take()
        for path in ("/v1/summary", "/v1/titles", "/v1/findings?title=A"):
            assert api.get(path).status == 200
        return bootstrap.runtime().calls.take().get("dynamodb.Scan", 0)

    assert [count_reads(), count_reads()] == [1, 0]
    service.report("A", run="run-2")
    service.scan()
    assert [count_reads(), count_reads()] == [1, 0]
    assert api.get("/v1/summary").json["open"] == {"HIGH": 1}


def test_a_finding_says_how_to_mend_it_if_its_profile_is_known(
    api: ApiClient, service: Service
) -> None:
    unknown = api.get(FINDING).json
    assert (unknown["description"], unknown["fix"]) == (None, None)

    store_controls(service.stack)
    control = read_controls(PROFILE)["ec2-ssh-01"]
    item = {"Id": "ec2-ssh-01-7", "Title": "A", "Severity": "HIGH", "Status": "NON_COMPLIANT"}
    service.report_items([item], run="run-2")
    service.scan()
    # what an earlier request did not find is kept for a while
    bootstrap.runtime.cache_clear()

    known = api.get(FINDING).json
    assert (known["description"], known["fix"]) == (control.description, control.fix)


def test_days_are_shown_in_numbers(api: ApiClient, service: Service) -> None:
    body = {"reason": "maintenance", "comment": "ticket 42", "duration": "P1D", "title": "A"}
    assert api.call("POST", "/v1/snoozes", body).status == 201
    service.report("A", "B", run="run-2")
    service.scan()

    (day,) = api.get("/v1/trends?days=1").json["items"][-1:]

    assert day["day"] == f"{datetime.now(UTC):%Y-%m-%d}"
    assert (day["open"], day["snoozed"], day["unchecked"]) == ({"HIGH": 2}, 1, 1)
    counts = {name: day[f"findings_{name}"] for name in ("new", "fixed", "unchecked", "gone")}
    assert counts == {"new": 3, "fixed": 0, "unchecked": 1, "gone": 0}
    assert (day["nodes_known"], day["nodes_reported"]) == (1, 1)
    assert day["fixed_median_age_days"] is None


@pytest.mark.parametrize("days", ["0", "401", "1.5", "week", "-1", ""])
def test_trends_are_for_1_to_400_days(api: ApiClient, days: str) -> None:
    refused = api.get(f"/v1/trends?days={days}")

    assert refused.status == 400
    assert [pointer for pointer, _ in refused.faults] == ["days"]
    assert api.get("/v1/trends?days=400").status == 200


def test_a_snoozed_finding_is_announced_once_its_snooze_has_ended(
    api: ApiClient, service: Service
) -> None:
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    rule = {"reason": "maintenance", "comment": "<b>night</b> shift", "title": "D"}
    created = api.call("POST", "/v1/snoozes", rule | {"ends_at": ends_at.isoformat()})
    assert created.status == 201

    service.report("A", "B", "C", "D", run="run-2")
    assert service.scan()["announced"] == 0

    api.call("DELETE", f"/v1/{created.headers['location']}")
    service.handlers.reconcile()
    service.handlers.reconcile()
    headers = service.list_headers()
    assert headers[-1] == "1 finding still fails after its snooze ended"
    assert len([each for each in headers if "still fail" in each]) == 1

    with urlopen(service.stack.slack.page_url, timeout=10) as response:  # noqa: S310 - our own
        page = response.read().decode()
    assert "operator-token" in page
    assert "&lt;b&gt;night&lt;/b&gt; shift" in page
    assert "<b>night" not in page


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("P2W", timedelta(weeks=2)),
        ("P14D", timedelta(weeks=2)),
        ("P1DT12H", timedelta(hours=36)),
        ("PT30M", timedelta(minutes=30)),
        ("PT45S", timedelta(seconds=45)),
    ],
)
def test_a_duration_may_have_any_unit_from_weeks_to_seconds(
    api: ApiClient, duration: str, expected: timedelta
) -> None:
    created = api.call("PUT", f"{FINDING}/snooze", {**SNOOZE, "duration": duration}).json
    starts_at = datetime.fromisoformat(created["starts_at"]).replace(microsecond=0)

    assert datetime.fromisoformat(created["ends_at"]) - starts_at == expected
