from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from chalicelib.adapters.secrets import ParameterSecrets
from chalicelib.domain.errors import Forbidden, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

NAME, SETTING = "/ec2-inspec-scan/dev/slack-token", "SLACK_TOKEN_PARAMETER"
NO_RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 1})


def store(ssm: "SSMClient", value: str) -> None:
    ssm.put_parameter(Name=NAME, Value=value, Type="SecureString", Overwrite=True)


def test_a_secret_is_decrypted(ssm: "SSMClient") -> None:
    store(ssm, "xoxb-1")
    assert ParameterSecrets(ssm).read(NAME, SETTING) == "xoxb-1"


def test_a_secret_is_remembered_until_somebody_wants_it_fresh(ssm: "SSMClient") -> None:
    secrets = ParameterSecrets(ssm)
    store(ssm, "xoxb-1")
    secrets.read(NAME, SETTING)
    store(ssm, "xoxb-2")
    assert secrets.read(NAME, SETTING) == "xoxb-1"
    assert secrets.read(NAME, SETTING, fresh=True) == "xoxb-2"
    assert secrets.read(NAME, SETTING) == "xoxb-2"


def test_a_secret_is_forgotten_after_its_age(ssm: "SSMClient") -> None:
    secrets = ParameterSecrets(ssm, max_age=0)
    store(ssm, "xoxb-1")
    secrets.read(NAME, SETTING)
    store(ssm, "xoxb-2")
    assert secrets.read(NAME, SETTING) == "xoxb-2"


def test_a_secret_is_remembered_whatever_the_environment_says(
    ssm: "SSMClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_PARAMETERS_MAX_AGE", "0")
    monkeypatch.setenv("POWERTOOLS_PARAMETERS_SSM_DECRYPT", "false")
    secrets = ParameterSecrets(ssm)
    store(ssm, "xoxb-1")
    assert secrets.read(NAME, SETTING) == "xoxb-1"
    store(ssm, "xoxb-2")
    assert secrets.read(NAME, SETTING) == "xoxb-1"


def test_a_missing_parameter_names_itself_and_its_setting(ssm: "SSMClient") -> None:
    with pytest.raises(Forbidden, match=rf"{NAME} of {SETTING} \(ParameterNotFound\)"):
        ParameterSecrets(ssm).read(NAME, SETTING)


def test_a_refusal_is_not_remembered(ssm: "SSMClient") -> None:
    secrets = ParameterSecrets(ssm)
    with pytest.raises(Forbidden):
        secrets.read(NAME, SETTING)
    store(ssm, "xoxb-1")
    assert secrets.read(NAME, SETTING) == "xoxb-1"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDeniedException", Forbidden),
        ("KMSAccessDeniedException", Forbidden),
        ("ThrottlingException", Unavailable),
        ("InternalServerError", Unavailable),
    ],
)
def test_a_refusal_is_announced_in_our_words(
    ssm: "SSMClient", code: str, kind: type[Exception]
) -> None:
    with Stubber(ssm) as answers:
        answers.add_client_error("get_parameter", code)
        with pytest.raises(kind, match=SETTING):
            ParameterSecrets(ssm).read(NAME, SETTING)


def test_an_ssm_out_of_reach_is_unavailable(ssm: "SSMClient") -> None:
    def unplug(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://ssm.invalid")

    ssm.meta.events.register("before-send.ssm", unplug)
    with pytest.raises(Unavailable, match=SETTING):
        ParameterSecrets(ssm).read(NAME, SETTING)
    ssm.meta.events.unregister("before-send.ssm", unplug)
