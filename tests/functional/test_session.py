"""Our session is boto3's, for the services that are used."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import UnknownServiceError

from chalicelib.startup import SERVICES, open_session
from devstack.environment import REGION
from tests.permissions.operations import named_in_code


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


def test_it_knows_every_service_that_the_code_calls() -> None:
    assert {operation.split(".", 1)[0] for operation in named_in_code()} == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_is_the_same_as_boto3_s(service: str) -> None:
    sessions: list[Any] = [open_session(), boto3.Session()]
    ours, plain = (session.client(service) for session in sessions)
    assert ours.meta.service_model.metadata == plain.meta.service_model.metadata
    assert ours.meta.service_model.operation_names == plain.meta.service_model.operation_names
    assert ours.meta.endpoint_url == plain.meta.endpoint_url
    ours.close()
    plain.close()


def test_a_resource_is_the_same_as_boto3_s() -> None:
    ours, plain = open_session().resource("dynamodb"), boto3.Session().resource("dynamodb")
    assert ours.meta.resource_model.name == plain.meta.resource_model.name
    assert ours.Table("t").name == "t"
    for each in (ours, plain):
        each.meta.client.close()


def test_another_service_is_refused_by_name() -> None:
    with pytest.raises(UnknownServiceError, match="Unknown service: 'ec2'"):
        open_session().client("ec2")
