"""The output of `chalice package` can be linted, translated and deployed, and then works."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from devstack import emulator
from devstack.environment import CHANNEL_ID
from ops.package import find_faults, read_package
from tests.deploy.checkout import ARCHITECTURE, PROJECT, Checkout, checkout
from tests.deploy.deployed import BUCKET, Deployed, Surroundings, surroundings
from tests.deploy.sam import (
    CODE_BUCKET,
    CODE_KEY,
    create_stack,
    faults,
    package,
    translated,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(
        emulator.describe_missing() is not None, reason=str(emulator.describe_missing())
    ),
]

NODE = "i-0a1b2c3d4e5f60001"
DATA = (PROJECT / "infra" / "data.yaml").read_text()


@pytest.fixture(scope="module")
def around() -> Iterator[Surroundings]:
    with surroundings() as running:
        yield running


@pytest.fixture(scope="module")
def copy(around: Surroundings, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    directory: Path = tmp_path_factory.mktemp("checkout")
    copy = checkout(directory, around.operator)
    copy.configure(
        SLACK_CHANNEL=CHANNEL_ID,
        REPORTS_BUCKET=BUCKET,
        **around.settings,
    )
    return copy


@pytest.fixture(scope="module")
def template(copy: Checkout) -> dict[str, Any]:
    return package(copy)


@pytest.fixture(scope="module")
def deployed(around: Surroundings, copy: Checkout, template: dict[str, Any]) -> Deployed:
    around.put_slack_token()
    with around.client("s3") as s3:
        s3.create_bucket(Bucket=CODE_BUCKET)
        s3.put_object(
            Bucket=CODE_BUCKET,
            Key=CODE_KEY,
            Body=(copy.path / "out" / "deployment.zip").read_bytes(),
        )
    create_stack(around, "ec2-inspec-scan-dev-data", DATA)
    around.take_plain_http()
    outputs = create_stack(around, "packaged", json.dumps(translated(template)))
    with around.client("lambda") as client:
        made = client.list_functions()["Functions"]
    handlers = {each["Handler"].removeprefix("app."): each["FunctionName"] for each in made}
    functions = {handler.replace("_", "-"): name for handler, name in handlers.items()}
    return Deployed(around, functions, outputs["RestAPIId"])


def test_the_package_is_small_and_has_only_what_runs(
    copy: Checkout, template: dict[str, Any]
) -> None:
    assert template
    assert find_faults(read_package(copy.path / "out" / "deployment.zip"), ARCHITECTURE) == []


def test_the_linter_accepts_the_packaged_template(template: dict[str, Any]) -> None:
    assert faults(json.dumps(template)) == []


def test_the_linter_accepts_the_translated_template(template: dict[str, Any]) -> None:
    assert faults(json.dumps(translated(template))) == []


def test_the_linter_finds_a_wrong_value(template: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(translated(template)))
    broken["Resources"]["Reconcile"]["Properties"]["Timeout"] = 901
    assert any("901" in fault for fault in faults(json.dumps(broken)))


def test_a_packaged_app_alerts_on_the_event_of_an_association(deployed: Deployed) -> None:
    found = deployed.report(NODE, "amazon-good")
    (made,) = deployed.scan()["scans"]
    assert (made["findings_new"], made["topic"], made["undelivered"]) == (found, "new", 0)
    assert deployed.headers_posted() == [f"{found} new non-compliant findings"]
    assert len(deployed.rows("findings")) == found
    assert deployed.call("GET", "/healthz").status == 200
