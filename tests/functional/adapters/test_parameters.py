from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from chalicelib.aws import read_parameter
from chalicelib.domain.errors import Forbidden, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

NAME, SETTING = "/ec2-inspec-scan/dev/slack-token", "SLACK_TOKEN_PARAMETER"


def store(ssm: "SSMClient", value: str) -> None:
    ssm.put_parameter(Name=NAME, Value=value, Type="SecureString", Overwrite=True)


def test_a_secret_is_decrypted(ssm: "SSMClient") -> None:
    store(ssm, "xoxb-1")
    assert read_parameter(ssm, NAME, SETTING) == "xoxb-1"


def test_a_secret_is_read_each_time(ssm: "SSMClient") -> None:
    store(ssm, "xoxb-1")
    read_parameter(ssm, NAME, SETTING)
    store(ssm, "xoxb-2")

    assert read_parameter(ssm, NAME, SETTING) == "xoxb-2"


def test_the_error_of_a_missing_parameter_names_it_and_its_setting(ssm: "SSMClient") -> None:
    with pytest.raises(Forbidden, match=rf"{NAME} of {SETTING} \(ParameterNotFound\)"):
        read_parameter(ssm, NAME, SETTING)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", Forbidden),
        ("KMSAccessDeniedException", Forbidden),
        ("ThrottlingException", Unavailable),
        ("InternalServerError", Unavailable),
    ],
)
def test_an_aws_error_becomes_a_domain_error(
    ssm: "SSMClient", code: str, kind: type[Exception]
) -> None:
    with Stubber(ssm) as stub:
        stub.add_client_error("get_parameter", code)
        with pytest.raises(kind, match=SETTING):
            read_parameter(ssm, NAME, SETTING)


def test_a_connection_error_is_unavailable(ssm: "SSMClient") -> None:
    def break_connection(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://ssm.invalid")

    ssm.meta.events.register("before-send.ssm", break_connection)
    with pytest.raises(Unavailable, match=SETTING):
        read_parameter(ssm, NAME, SETTING)
    ssm.meta.events.unregister("before-send.ssm", break_connection)
