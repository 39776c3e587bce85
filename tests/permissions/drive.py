"""Lets every function do all that it can do, and records what it asks of AWS for it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalice.local import LambdaContext
from moto.ssm.models import ssm_backends

from chalicelib import bootstrap
from chalicelib.adapters.s3 import PART
from chalicelib.domain.errors import ServiceError, Unavailable
from chalicelib.domain.finding import finding_id
from chalicelib.domain.history import SnoozeEvent, SnoozeEventKind
from chalicelib.domain.job import Job, JobKind
from chalicelib.domain.snooze import Reason, Snooze
from chalicelib.usecases.context import Context
from devstack.aws.compliance_store import attach_store
from devstack.environment import ACCOUNT, REGION
from devstack.slack.faults import Fault
from tests.functional.conftest import NODE, Service
from tests.permissions.recorder import Recorder

OTHERS = ("i-0123456789abcdef1", "i-0123456789abcdef2", "i-0123456789abcdef3")
LARGE = "i-0123456789abcdef9"
LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)
TITLE = "a"
FINDING = finding_id(NODE, TITLE)


def drive(service: Service, recorder: Recorder) -> None:
    """Every function, one after the other, each in a process of its own."""
    handlers = service.handlers
    for months, (function, invoke) in enumerate(
        (
            ("ec2-inspec-scan", lambda: handlers.scan(datetime.now(UTC), {"Success": 4})),
            ("monthly-alert", handlers.report_month),
            ("reconcile", handlers.reconcile),
        )
    ):
        with recorder.of(function):
            month = LONG_AGO + timedelta(days=31 * months)
            Passes(service, _world(recorder), recorder, invoke).make(month)
    with recorder.of("reconcile"):
        handlers.reconcile({"full": True, "accept_missing": True})
    with recorder.of("api_handler"):
        api(handlers._app.app)
    with recorder.of("authorizer"):
        token = {
            "type": "TOKEN",
            "authorizationToken": "Bearer eis_unknown",
            "methodArn": f"arn:aws:execute-api:{REGION}:{ACCOUNT}:id/api/GET/v1/summary",
        }
        assert handlers._app.authorizer(token, None)["principalId"] == "nobody"


def _world(recorder: Recorder) -> Context:
    """The ports of a new process, listened to."""
    bootstrap.runtime.cache_clear()
    runtime = bootstrap.runtime()
    recorder.watch(runtime._session)
    return runtime.context(ACCOUNT, REGION)


class Passes:
    """All that a pass may do, made by one of the three functions that make passes."""

    def __init__(
        self, service: Service, context: Context, recorder: Recorder, invoke: Callable[[], object]
    ) -> None:
        self._service = service
        self._world = context
        self._recorder = recorder
        self._invoke = invoke

    def make(self, month: datetime) -> None:
        """The scenes, in order; each leaves the fleet as the next one needs it."""
        self.everything_is_new()
        self.one_node_of_many_changes_and_its_file_waits()
        self.snoozes_are_over()
        self.leftovers_are_made_good(month)
        self.a_large_file_breaks_off()
        self.a_node_is_gone()
        self.another_pass_is_under_way()

    def everything_is_new(self) -> None:
        for node in (NODE, *OTHERS):
            self._put(node, "a", "b")
        # with so many rows in the table, one node is looked up by the index
        self._put(LARGE, *(f"title {number}" for number in range(200)))
        self._pass()

    def one_node_of_many_changes_and_its_file_waits(self) -> None:
        """The index, its candidates, a fix that ends a snooze; the bucket gives the file back."""
        self._snooze("until fixed", NODE, "b", until_resolved=True)
        self._put(NODE, "a", "c")
        self._slack_takes_no_file()
        self._pass()
        self._pass()

    def snoozes_are_over(self) -> None:
        """Of a pair, whose row is asked for, and of a title, for which the table is read."""
        self._snooze("pair", NODE, "a", ends_at=LONG_AGO + timedelta(days=1))
        self._pass()
        self._snooze("title", None, "a", ends_at=LONG_AGO + timedelta(days=1))
        self._pass()

    def leftovers_are_made_good(self, month: datetime) -> None:
        """A mark without a message; a month, whose file the bucket gives back too."""
        job = Job(f"monthly#{month:%Y-%m-%d}", JobKind.MONTHLY, event_at=month, enqueued_at=month)
        with self._recorder.deaf():
            self._world.work.mark_unannounced("left-over")
            self._world.work.enqueue(job)
        self._slack_takes_no_file()
        self._pass()
        self._pass()

    def _slack_takes_no_file(self) -> None:
        full = Fault.refused("storage_limit_reached")
        self._service.stack.slack.fail("files.getUploadURLExternal", full)

    def a_large_file_breaks_off(self) -> None:
        """In each folder, as the file of a message or a month of a large fleet may."""

        def pieces() -> Iterator[bytes]:
            yield bytes(2 * PART)
            raise Unavailable("the table does not answer")

        for folder in ("alerts", "monthly"):
            self._world.files.put(f"{folder}/large.csv", [bytes(2 * PART)])
            with suppress(Unavailable):
                self._world.files.put(f"{folder}/large.csv", pieces())

    def a_node_is_gone(self) -> None:
        attach_store(ssm_backends[ACCOUNT][REGION]).forget(OTHERS[0])
        self._pass()
        with self._recorder.deaf():
            long_ago = datetime.now(UTC) - timedelta(hours=2)
            nodes = self._world.nodes
            nodes.put(
                replace(node, missing_since=long_ago) for node in nodes.all() if node.missing_since
            )
        self._pass()

    def another_pass_is_under_way(self) -> None:
        now = datetime.now(UTC)
        with self._recorder.deaf():
            self._world.lease.acquire("another", now, now + timedelta(minutes=1))
        self._pass()
        with self._recorder.deaf():
            self._world.lease.release("another")

    def _put(self, node: str, *titles: str) -> None:
        with self._recorder.deaf():
            self._service.put(*titles, node=node, run=datetime.now(UTC).isoformat())

    def _pass(self) -> None:
        with suppress(ServiceError):
            self._invoke()

    def _snooze(
        self,
        name: str,
        node: str | None,
        title: str,
        *,
        ends_at: datetime | None = None,
        until_resolved: bool = False,
    ) -> None:
        now = datetime.now(UTC)
        made = Snooze(
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
            snooze_id=made.id,
            at=now,
            kind=kind,
            by="oncall",
            via="api",
            version=1,
            ends_at=ends_at,
            reason="other",
            comment="none",
        )
        with self._recorder.deaf():
            self._world.snoozes.add(made, event)


WEEK = {"duration": "P7D", "reason": "fix_scheduled", "comment": "after the release"}
MONTH = {"duration": "P30D"}


def api(handler: Callable[[dict[str, Any], object], dict[str, Any]]) -> None:
    """Every route, each way in which it reads or writes."""

    def call(
        method: str,
        resource: str,
        expected: int,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        **path: str,
    ) -> Any:
        asked = {name: [value] for name, value in (query or {}).items()}
        answer = handler(
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
                "multiValueQueryStringParameters": asked or None,
                "pathParameters": path or None,
                "stageVariables": None,
                "body": json.dumps(body) if body else None,
                "isBase64Encoded": False,
            },
            LambdaContext("api", 512, max_runtime_ms=60_000),
        )
        assert answer["statusCode"] == expected, answer
        return json.loads(answer["body"]) if answer["body"].startswith("{") else None

    findings, finding = "/v1/findings", "/v1/findings/{finding_id}"
    call("GET", findings, 200)
    call("GET", findings, 200, {"instance_id": NODE})
    call("GET", findings, 200, {"title": TITLE})
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
    made = call("POST", snoozes, 201, body=rule)
    call("GET", snoozes, 200)
    call("GET", snooze, 200, snooze_id=made["id"])
    call("PATCH", snooze, 200, body=MONTH, snooze_id=made["id"])
    call("GET", f"{snooze}/events", 200, snooze_id=made["id"])
    call("DELETE", snooze, 204, snooze_id=made["id"])
    call("GET", "/v1/nodes", 200)
    call("GET", "/v1/scans", 200)
    call("GET", "/v1/summary", 200)
