"""Runs every function through everything it can do, and records its calls to AWS."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from chalice.local import LambdaContext
from moto.ssm.models import ssm_backends
from msgspec.structs import replace

from chalicelib import bootstrap
from chalicelib.adapters.s3 import PART
from chalicelib.domain.errors import ServiceError, Unavailable
from chalicelib.domain.finding import finding_id
from chalicelib.domain.history import (
    NO_FACTS,
    EventKey,
    EventKind,
    SnoozeEvent,
    SnoozeEventKind,
)
from chalicelib.domain.scan import Job, JobKind
from chalicelib.domain.snooze import Reason, Snooze
from chalicelib.usecases.announce.contents import find_changes
from chalicelib.usecases.context import Context
from devstack.aws.compliance_store import attach_store
from devstack.environment import ACCOUNT, ASSOCIATION, REGION
from devstack.slack.faults import Fault
from tests.functional.service import NODE, Service
from tests.permissions.recorder import Recorder

OTHERS = ("i-0123456789abcdef1", "i-0123456789abcdef2", "i-0123456789abcdef3")
LARGE = "i-0123456789abcdef9"
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
TITLE = "a"
FINDING = finding_id(NODE, TITLE)


def drive(service: Service, recorder: Recorder) -> None:
    """Runs every function, one after the other, each in a new process."""
    handlers = service.handlers
    for months, (function, invoke) in enumerate(
        (
            ("ec2-inspec-scan", lambda: handlers.scan(datetime.now(UTC), {"Success": 4})),
            ("monthly-alert", handlers.report_month),
            ("reconcile", handlers.reconcile),
        )
    ):
        with recorder.record(function):
            month = LONG_AGO + timedelta(days=31 * months)
            ScanScenes(service, _build_context(recorder), recorder, invoke).run(month)
    with recorder.record("reconcile"):
        handlers.reconcile({"full": True, "accept_missing": True})
    with recorder.record("api_handler"):
        call_every_route(handlers._app.app)
    with recorder.record("authorizer"):
        token = {
            "type": "TOKEN",
            "authorizationToken": "Bearer eis_unknown",
            "methodArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:id/api/GET/v1/summary",
        }
        assert handlers._app.authorizer(token, None)["principalId"] == "nobody"


def _build_context(recorder: Recorder) -> Context:
    """Builds the ports of a new process, with its calls recorded."""
    bootstrap.runtime.cache_clear()
    runtime = bootstrap.runtime()
    recorder.watch(runtime._session)
    return runtime.context(ACCOUNT, REGION)


class ScanScenes:
    """Everything that a scan can do, run by one of the three functions."""

    def __init__(
        self, service: Service, context: Context, recorder: Recorder, invoke: Callable[[], object]
    ) -> None:
        self._service = service
        self._context = context
        self._recorder = recorder
        self._invoke = invoke

    def run(self, month: datetime) -> None:
        """Runs the scenes in order. Each leaves the fleet as the next one needs it."""
        self.report_new_findings(month)
        self.change_one_node_while_slack_takes_no_file()
        self.end_snoozes()
        self.answer_an_execution()
        self.complete_leftovers(month)
        self.meet_another_scan()
        self.name_what_left()
        self.interrupt_large_uploads()
        self.remove_a_node()
        self.find_the_lease_taken()

    def report_new_findings(self, month: datetime) -> None:
        """A few changes are one transaction. Many, other ones for each function, have a mark."""
        for node in (NODE, *OTHERS):
            self._report(node, "a", "b")
        self._scan()
        self._report(LARGE, *(f"title {number} of {month:%B}" for number in range(200)))
        self._scan()

    def change_one_node_while_slack_takes_no_file(self) -> None:
        """A fix ends a snooze; the file is read back from the bucket."""
        self._add_snooze("until fixed", NODE, "b", until_resolved=True)
        self._report(NODE, "a", "c")
        self._fail_next_file()
        self._scan()
        self._scan()

    def end_snoozes(self) -> None:
        """Ends the snooze of a pair, which reads one row, and that of a title, which reads all."""
        self._add_snooze("pair", NODE, "a", ends_at=LONG_AGO + timedelta(days=1))
        self._scan()
        self._add_snooze("title", None, "a", ends_at=LONG_AGO + timedelta(days=1))
        self._scan()

    def answer_an_execution(self) -> None:
        """Reads the targets of an execution that waits."""
        now = datetime.now(UTC)
        self._service.stack.aws.run_association(ASSOCIATION, now, {NODE: "Success"})
        key = f"{ASSOCIATION}#{now}"
        job = Job(key, JobKind.EXECUTION, now, now, ASSOCIATION, "Success", executed_at=now)
        with self._recorder.pause():
            self._context.work.enqueue(job)
        self._scan()

    def complete_leftovers(self, month: datetime) -> None:
        """Completes a month whose file is read back too."""
        job = Job(f"monthly#{month:%Y-%m-%d}", JobKind.MONTHLY, event_at=month, enqueued_at=month)
        with self._recorder.pause():
            self._context.work.enqueue(job)
        self._fail_next_file()
        self._scan()
        self._scan()

    def meet_another_scan(self) -> None:
        """Finds that somebody else scans, and leaves word."""
        now = datetime.now(UTC)
        with self._recorder.pause():
            self._context.lease.acquire("another", now, now + timedelta(minutes=1))
        self._scan()
        with self._recorder.pause():
            assert self._context.lease.release("another")

    def name_what_left(self) -> None:
        """Reads the facts of earlier scans, and the names of what left by them."""
        last = self._context.work.open().last_fact
        assert list(find_changes(self._context, NO_FACTS, last))

    def _fail_next_file(self) -> None:
        fails = Fault.refused("internal_error")
        self._service.stack.slack.fail("files.getUploadURLExternal", fails)

    def interrupt_large_uploads(self) -> None:
        """Interrupts the upload of a large file in each folder."""

        def fail_late() -> Iterator[bytes]:
            yield bytes(2 * PART)
            raise Unavailable("the table does not answer")

        for folder in ("alerts", "monthly"):
            self._context.files.put(f"{folder}/large.csv", [bytes(2 * PART)])
            with suppress(Unavailable):
                self._context.files.put(f"{folder}/large.csv", fail_late())

    def remove_a_node(self) -> None:
        attach_store(ssm_backends[ACCOUNT][REGION]).forget(OTHERS[0])
        self._scan()
        with self._recorder.pause():
            long_ago = datetime.now(UTC) - timedelta(hours=2)
            nodes = self._context.nodes
            nodes.put(
                replace(node, missing_since=long_ago) for node in nodes.all() if node.missing_since
            )
        self._scan()

    def find_the_lease_taken(self) -> None:
        now = datetime.now(UTC)
        with self._recorder.pause():
            self._context.lease.acquire("another", now, now + timedelta(minutes=1))
        self._scan()
        with self._recorder.pause():
            self._context.lease.release("another")

    def _report(self, node: str, *titles: str) -> None:
        with self._recorder.pause():
            self._service.report(*titles, node=node, run=datetime.now(UTC).isoformat())

    def _scan(self) -> None:
        with suppress(ServiceError):
            self._invoke()

    def _add_snooze(
        self,
        name: str,
        node: str | None,
        title: str,
        *,
        ends_at: datetime | None = None,
        until_resolved: bool = False,
    ) -> None:
        now = datetime.now(UTC)
        snooze = Snooze(
            id=f"{name} {now.timestamp()}".replace(" ", "-").replace(".", "-"),
            instance_id=node,
            title=title,
            starts_at=LONG_AGO,
            ends_at=ends_at,
            until_resolved=until_resolved,
            reason=Reason.OTHER,
            comment="none",
            created_by="oncall",
            created_via="api",
            created_at=LONG_AGO,
        )
        kind = SnoozeEventKind.CREATED
        event = SnoozeEvent(
            snooze_id=snooze.id,
            at=now,
            kind=kind,
            by="oncall",
            via="api",
            version=1,
            ends_at=ends_at,
            reason="other",
            comment="none",
        )
        with self._recorder.pause():
            self._context.snoozes.add(snooze, event)


WEEK = {"duration": "P7D", "reason": "fix_scheduled", "comment": "after the release"}
MONTH = {"duration": "P30D"}


def call_every_route(handler: Callable[[dict[str, Any], object], dict[str, Any]]) -> None:
    """Calls every route in each way in which it reads or writes."""

    def call(
        method: str,
        resource: str,
        expected: int,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        **path: str,
    ) -> Any:
        values = {name: [value] for name, value in (query or {}).items()}
        response = handler(
            {
                "requestContext": {
                    "httpMethod": method,
                    "resourcePath": resource,
                    "path": resource.format(**path),
                    "requestId": "1",
                    "authorizer": {"principalId": "oncall", "role": "operator"},
                    "identity": {"sourceIp": "127.0.0.1"},
                },
                "headers": {"content-type": "application/json"},
                "multiValueQueryStringParameters": values or None,
                "pathParameters": path or None,
                "stageVariables": None,
                "body": json.dumps(body) if body else None,
                "isBase64Encoded": False,
            },
            LambdaContext("api", 512, max_runtime_ms=60_000),
        )
        assert response["statusCode"] == expected, response
        return json.loads(response["body"]) if response["body"].startswith("{") else None

    findings, finding = "/v1/findings", "/v1/findings/{finding_id}"
    call("GET", findings, 200)
    call("GET", findings, 200, {"instance_id": NODE})
    call("GET", findings, 200, {"title": TITLE})
    call("GET", findings, 200, {"state": "unchecked"})
    call("GET", findings, 200, {"state": "fixed"})
    call("GET", findings, 200, {"format": "csv"})
    call("GET", finding, 200, finding_id=FINDING)
    call("GET", f"{finding}/events", 200, finding_id=FINDING)
    call("PUT", f"{finding}/snooze", 201, body=WEEK, finding_id=FINDING)
    call("PUT", f"{finding}/snooze", 200, body={**WEEK, **MONTH}, finding_id=FINDING)
    call("DELETE", f"{finding}/snooze", 204, finding_id=FINDING)
    snoozes, snooze = "/v1/snoozes", "/v1/snoozes/{snooze_id}"
    rule = {**WEEK, "title": TITLE}
    call("POST", snoozes, 200, {"dry_run": "true"}, rule)
    call("POST", snoozes, 200, {"dry_run": "true"}, {**WEEK, "instance_id": NODE})
    created = call("POST", snoozes, 201, body=rule)
    call("GET", snoozes, 200)
    call("GET", snooze, 200, snooze_id=created["id"])
    call("PATCH", snooze, 200, body=MONTH, snooze_id=created["id"])
    call("GET", f"{snooze}/events", 200, snooze_id=created["id"])
    call("DELETE", snooze, 204, snooze_id=created["id"])
    call("GET", "/v1/nodes", 200)
    call("GET", "/v1/scans", 200)
    call("GET", "/v1/summary", 200)
    call("GET", "/v1/trends", 200)
    # a finding of a control that the package does not know
    bootstrap.runtime().inbox.controls.find("other-01")
    # the list of what is fixed names each finding
    bootstrap.runtime().inbox.archive.find([EventKey(FINDING, LONG_AGO, EventKind.FIXED)])
    # a CSV that is too large for a response names the latest monthly report
    assert bootstrap.runtime().inbox.archive.latest_monthly()
