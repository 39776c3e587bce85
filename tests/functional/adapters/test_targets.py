"""Targets of executions in any shape, as SSM may list them."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from chalicelib.adapters.ssm import SsmExecutions
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.scan import Targets

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

BEGAN = datetime(2026, 1, 31, 8, 0, 1, tzinfo=UTC)


def read_targets_of(ssm: "SSMClient", *targets: Any, **execution: Any) -> Targets | None:
    """Reads an execution with these targets through a client that gets them as they are."""
    described = {"ExecutionId": "run-1", "CreatedTime": BEGAN.timestamp(), "Status": "Success"}
    pages = [
        {"AssociationExecutions": [described | execution]},
        {"AssociationExecutionTargets": list(targets)},
    ]

    def respond(**_: object) -> Any:
        body = RawResponse(json.dumps(pages.pop(0)).encode())
        return AWSResponse("http://ssm", 200, HTTPHeaders(), body)

    ssm.meta.events.register_first("before-send.ssm", respond)
    try:
        return SsmExecutions(lambda: ssm).targets("assoc-1", BEGAN)
    finally:
        ssm.meta.events.unregister("before-send.ssm", respond)


class RawResponse(BytesIO):
    """A body as urllib3 gives it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """Yields all of it."""
        yield self.read()


def test_a_target_may_lack_everything_but_its_id(ssm: "SSMClient") -> None:
    found = read_targets_of(
        ssm,
        {"ResourceId": "i-1"},
        {"ResourceId": "i-2", "Status": None},
        {"ResourceId": "i-3", "Status": "Success", "ResourceType": "AWS::EC2::Instance"},
        {"ResourceId": "i-4", "Status": "Unheard", "ResourceType": "", "OutputSource": {}},
    )

    assert found == Targets({"i-1": "", "i-2": "", "i-3": "Success", "i-4": "Unheard"})


def test_an_execution_without_a_status_may_have_ended(ssm: "SSMClient") -> None:
    found = read_targets_of(ssm, {"ResourceId": "i-1", "Status": "Success"}, Status=None)

    assert found == Targets({"i-1": "Success"})


@pytest.mark.parametrize("missing", ["ExecutionId", "CreatedTime"])
def test_an_execution_without_id_or_time_matches_nothing(ssm: "SSMClient", missing: str) -> None:
    assert read_targets_of(ssm, **{missing: None}) is None


@pytest.mark.parametrize(
    "target",
    [
        {"Status": "Success"},
        {"ResourceId": None, "Status": "Success"},
        {"ResourceId": 7, "Status": "Success"},
        {},
        "i-1",
        7,
        None,
        ["i-1"],
    ],
)
def test_a_target_that_cannot_be_named_makes_the_whole_list_unavailable(
    ssm: "SSMClient", target: Any
) -> None:
    with pytest.raises(Unavailable, match="targets of assoc-1"):
        read_targets_of(ssm, {"ResourceId": "i-1", "Status": "Success"}, target)


@pytest.mark.parametrize("time", ["yesterday", 1e30, -1e30, {}, [], True, ""])
def test_a_time_of_another_form_is_unavailable_or_matches_nothing(
    ssm: "SSMClient", time: Any
) -> None:
    with suppress(Unavailable):
        assert read_targets_of(ssm, {"ResourceId": "i-1"}, CreatedTime=time) is None


def test_a_status_that_is_no_text_is_none(ssm: "SSMClient") -> None:
    found = read_targets_of(ssm, {"ResourceId": "i-1", "Status": 2}, Status={"is": "Success"})

    assert found == Targets({"i-1": ""})
