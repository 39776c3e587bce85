"""One checkout, a stage in each of two accounts: neither touches the other."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest

from devstack import emulator
from devstack.emulator import Emulator, run_emulator
from devstack.environment import ACCOUNT, CHANNEL_ID, REGION, TOKEN
from tests.deploy.checkout import STAGE, Checkout, checkout
from tests.deploy.deployed import surroundings

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.skipif(
        emulator.describe_missing() is not None, reason=str(emulator.describe_missing())
    ),
]

COPY, OTHER_ACCOUNT, OTHER_REGION = f"{STAGE}-b", "210987654321", "eu-west-1"
# Every verb that works in the account of a stage.
VERBS = (
    ("deploy",),
    ("destroy",),
    ("scan",),
    ("ping",),
    ("token", "list"),
    ("restore", "--table", "findings", "--from", "x"),
    ("take-over", "--from", "x"),
    ("controls", "--profile", "inspec"),
)


@dataclass(frozen=True)
class Home:
    """An account with the checkout as its operator has it."""

    emulator: Emulator
    operator: Checkout

    def run(self, *arguments: str, stage: str) -> str:
        """Run a verb that must succeed, and return its output."""
        ran = self.operator.python("-m", "ops", *arguments, "--stage", stage)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def refuse(self, *arguments: str, stage: str) -> str:
        """Run a verb that must be refused, and return why."""
        ran = self.operator.python("-m", "ops", *arguments, "--stage", stage)
        assert (ran.returncode, ran.stdout) == (1, "")
        (line,) = ran.stderr.splitlines()
        return line

    def describe(self) -> dict[str, Any]:
        """Describe what is deployed: functions with their code and settings, and APIs."""
        with self._client("lambda") as functions, self._client("apigateway") as apis:
            made = functions.list_functions()["Functions"]
            return {
                "functions": {
                    each["FunctionName"]: (each["CodeSha256"], each["Environment"]["Variables"])
                    for each in made
                },
                "apis": sorted(each["id"] for each in apis.get_rest_apis()["items"]),
            }

    def _client(self, service: Any) -> Any:
        session = boto3.Session("test", "test", region_name=self.emulator.region)
        return closing(session.client(service, endpoint_url=self.emulator.url))


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Home]]:
    with surroundings() as around, run_emulator(OTHER_ACCOUNT, OTHER_REGION) as other:
        own = {**around.operator, "SLACK_CHANNEL": CHANNEL_ID, "YES": "1"}
        first = checkout(tmp_path_factory.mktemp("checkout"), own)
        first.configure(**around.settings)
        around.put_slack_token()
        session = boto3.Session("test", "test", region_name=OTHER_REGION)
        with closing(session.client("ssm", endpoint_url=around.aws.url)) as ssm:
            name = f"/ec2-inspec-scan/{COPY}/slack-token"
            ssm.put_parameter(Name=name, Value=TOKEN, Type="SecureString")
        theirs = {**own, **other.build_operator_env(), "AWS_ENDPOINT_URL_SSM": around.aws.url}
        yield Home(around.emulator, first), Home(other, replace(first, env=theirs))


def read_files(copy: Checkout) -> dict[str, bytes]:
    folders = (copy.path / ".chalice", copy.path / "infra")
    files = (each for folder in folders for each in folder.rglob("*.json"))
    return {str(each.relative_to(copy.path)): each.read_bytes() for each in files}


def test_a_stage_in_each_account_and_neither_touches_the_other(homes: tuple[Home, Home]) -> None:
    here, there = homes
    assert "Deployed. The API:" in here.run("deploy", stage=STAGE)
    first, files = here.describe(), read_files(here.operator)
    assert len(first["apis"]) == 1

    for verb in VERBS:
        line = there.refuse(*verb, stage=STAGE)
        assert line.startswith(
            f"{verb[0]} failed: stage {STAGE} is of account {ACCOUNT} in {REGION} ("
        )
        assert f"you are in {OTHER_ACCOUNT} in {OTHER_REGION};" in line
    assert there.describe() == {"functions": {}, "apis": []}
    assert read_files(here.operator) == files

    copied = there.operator.python("-m", "ops", "stage", "copy", STAGE, COPY)
    assert copied.returncode == 0, copied.stderr
    assert "Deployed. The API:" in there.run("deploy", stage=COPY)
    second = there.describe()
    assert len(second["apis"]) == 1
    assert {name for name in second["functions"] if COPY not in name} == set()
    settings = second["functions"][f"ec2-inspec-scan-{COPY}-reconcile"][1]
    assert (settings["ACCOUNT_ID"], settings["REGION"]) == (OTHER_ACCOUNT, OTHER_REGION)
    assert here.describe() == first
    shared = {".chalice/config.json", "infra/parameters.json"}
    kept = {path: text for path, text in files.items() if path not in shared}
    assert kept.items() <= read_files(here.operator).items()

    for verb in VERBS:
        line = here.refuse(*verb, stage=COPY)
        assert f"stage {COPY} is of account {OTHER_ACCOUNT} in {OTHER_REGION}" in line
    assert there.describe() == second

    # a further deployment of the first finds its own API
    assert "Deployed. The API:" in here.run("deploy", stage=STAGE)
    assert here.describe()["apis"] == first["apis"]

    answered = replace(
        there, operator=replace(there.operator, env={**there.operator.env, "YES": COPY})
    )
    assert "Destroyed" in answered.run("destroy", stage=COPY)
    assert there.describe() == {"functions": {}, "apis": []}
    assert here.describe()["apis"] == first["apis"]
    assert here.describe()["functions"].keys() == first["functions"].keys()
