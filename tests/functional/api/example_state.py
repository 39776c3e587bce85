"""The state that the examples of the specification show, and how each of them is produced."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.errors import ServiceError, Unavailable
from chalicelib.domain.finding import finding_id
from chalicelib.entrypoints.api import problems
from chalicelib.entrypoints.api.schemas import read_examples
from devstack.stack import store_controls
from ops.gateway import REFUSALS
from tests.functional.api.client import ApiClient
from tests.functional.service import NODE, Service

TITLE = "SSH must disable X11 forwarding"
FINDING_ID = finding_id(NODE, TITLE)
RUN = "e1f4ef4f-879f-4a52-b093-66c8e7e2946f"
ITEMS = [
    ("ec2-ssh-07", TITLE, "CRITICAL", "NON_COMPLIANT"),
    ("ec2-sudo-01", "sudo must be installed", "HIGH", "NON_COMPLIANT"),
    ("ec2-users-02", "User names must be unique", "LOW", "COMPLIANT"),
]
FINDING = f"/v1/findings/{FINDING_ID}"
# What differs from run to run, and what stands for it. Times keep their order.
BEGIN = datetime(2026, 11, 28, 6, tzinfo=UTC)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z")
SCAN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
DAY = re.compile(r'(?<="day": ")[^"]*')
REQUEST_ID = re.compile(r'(?<="request_id": ")[^"]*')
SHOWN_SCAN_ID = "20261128T060030Z-e567118d"
SHOWN_REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def fill(service: Service) -> None:
    """Lets the node of the examples report, and scans."""
    items = [
        {"Id": control_id, "Title": title, "Severity": severity, "Status": status}
        for control_id, title, severity, status in ITEMS
    ]
    service.report_items(items, node=NODE, run=RUN)
    service.scan()


def produce(service: Service, api: ApiClient) -> dict[str, Any]:
    """Returns what examples.json should hold: bodies as they are, everything else produced anew.

    `service` must be empty.
    """
    store_controls(service.stack)
    fill(service)
    stored = read_examples()
    csv = api.get(f"/v1/findings?instance_id={NODE}&format=csv").content.decode()
    responses = _produce_responses(api)
    snooze_id = responses["SnoozeResponse"]["id"]
    produced = {
        "ids": {"finding_id": FINDING_ID, "snooze_id": snooze_id, "instance_id": NODE},
        "bodies": stored.bodies,
        "responses": responses,
        # with whole seconds, so they cannot be told from each other
        "csv": TIME.sub(_show(BEGIN), csv),
        "problems": {str(status): each for status, each in _produce_problems(api)},
    }
    replaced: dict[str, Any] = json.loads(_replace_changing(json.dumps(produced)))
    return replaced


def _produce_responses(api: ApiClient) -> dict[str, Any]:
    """Sends a request for each type of response."""
    bodies = read_examples().bodies
    names = ("SnoozeFinding", "CreateSnooze", "SnoozeFindings")
    snooze, rule, many = (next(iter(bodies[name].values())) for name in names)
    requests = {
        "FindingList": ("GET", f"/v1/findings?instance_id={NODE}", None),
        "SnoozePreviewResponse": ("POST", "/v1/snoozes?dry_run=true", rule),
        "SnoozeResponse": ("PUT", f"{FINDING}/snooze", snooze),
        "FindingDetailResponse": ("GET", FINDING, None),
        "EventList": ("GET", f"{FINDING}/events", None),
        "SnoozeList": ("GET", "/v1/snoozes", None),
        "NodeList": ("GET", "/v1/nodes", None),
        "NodeResponse": ("GET", f"/v1/nodes/{NODE}", None),
        "TitleList": ("GET", "/v1/titles", None),
        "CallerResponse": ("GET", "/v1/me", None),
        "ScanList": ("GET", "/v1/scans", None),
        "TrendList": ("GET", "/v1/trends", None),
        "SummaryResponse": ("GET", "/v1/summary", None),
        "SnoozeResults": ("POST", "/v1/findings/snooze", many),
        "Health": ("GET", "/healthz", None),
    }
    return {name: api.call(*request).json for name, request in requests.items()}


def _produce_problems(api: ApiClient) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields a problem of each status."""
    rule = next(iter(read_examples().bodies["CreateSnooze"].values()))
    api.call("POST", "/v1/snoozes", rule)
    wrong = {**rule, "reason": "wontfix", "duration": "14d"}
    answers = [
        api.get("/v1/findings?severity=hgih&colour=red"),
        api.anonymous().get("/v1/findings"),
        api.as_viewer().call("POST", "/v1/snoozes", rule),
        api.get(f"/v1/findings/{'0' * 32}"),
        api.call("DELETE", "/v1/findings"),
        api.call("POST", "/v1/snoozes", rule),
        api.call("DELETE", f"{FINDING}/snooze", headers={"If-Match": '"7"'}),
        api.call("POST", "/v1/snoozes", b" " * 262_145),
        api.call("POST", "/v1/snoozes", b"x=1", {"Content-Type": "text/plain"}),
        api.call("POST", "/v1/snoozes", wrong),
    ]
    for answer in answers:
        yield answer.status, answer.json
    throttled = problems.build_problem(429, REFUSALS["THROTTLED"].detail, "")
    failures = [problems.respond_to_error(each, "") for each in (ServiceError(), Unavailable())]
    for problem in (throttled, *failures):
        yield problem.status_code, json.loads(problem.body)


def _replace_changing(text: str) -> str:
    times = sorted({*TIME.findall(text)} - {_show(BEGIN)}, key=datetime.fromisoformat)
    shown: dict[str, datetime] = {}
    for number, time in enumerate(times):
        at = datetime.fromisoformat(time)
        # an end is whole days after its beginning
        for begin, stands_for in list(shown.items()):
            days = at - datetime.fromisoformat(begin).replace(microsecond=0)
            if days and not days % timedelta(days=1):
                shown[time] = stands_for + days
        shown.setdefault(time, BEGIN + timedelta(seconds=30 * number))
    text = TIME.sub(lambda found: _show(shown.get(found[0], BEGIN)), text)
    text = DAY.sub(f"{BEGIN:%Y-%m-%d}", text)
    return REQUEST_ID.sub(SHOWN_REQUEST_ID, SCAN_ID.sub(SHOWN_SCAN_ID, text))


def _show(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
