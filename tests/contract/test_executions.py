"""`Executions` over the stand-in of AWS, and its fake."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import pytest
from botocore.config import Config

from chalicelib.adapters.ssm import SsmExecutions
from chalicelib.domain.errors import Forbidden, ServiceError, Unavailable
from chalicelib.domain.scan import Targets
from chalicelib.usecases.ports import SAME_EXECUTION, Executions
from devstack.aws.compliance_store import AssociationRun, find_store
from devstack.aws.server import AwsServer, serve_aws
from devstack.aws.session import make_session
from tests.fakes import MemoryExecutions

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.enable_socket

ASSOCIATION, OTHER = "6e37940a-23ba-4ab0-9b96-5d0a1a05464f", "0b3f1a52-1111-4ab0-9b96-5d0a1a05464f"
BEGAN = datetime(2026, 1, 31, 8, 0, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NO_RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 1})
TWO = [("i-1", "Success"), ("i-2", "Failed")]


class StateManager(Protocol):
    """Associations that run, and the `Executions` that reads what became of it."""

    @property
    def executions(self) -> Executions: ...

    def run(
        self,
        association: str,
        began: datetime,
        targets: Sequence[tuple[str, str]],
        status: str = "Success",
    ) -> None: ...

    def refuse_next(self) -> None: ...

    def fail_next(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self.executions = MemoryExecutions()

    def run(
        self,
        association: str,
        began: datetime,
        targets: Sequence[tuple[str, str]],
        status: str = "Success",
    ) -> None:
        self.executions.put(association, began, targets, status=status)

    def refuse_next(self) -> None:
        self.executions.fail(Forbidden("SSM refuses"))

    def fail_next(self) -> None:
        self.executions.fail(Unavailable("SSM did not answer"))


class OnAws:
    def __init__(self, ssm: "SSMClient") -> None:
        self.executions = SsmExecutions(lambda: ssm)

    def run(
        self,
        association: str,
        began: datetime,
        targets: Sequence[tuple[str, str]],
        status: str = "Success",
    ) -> None:
        listed = tuple({"ResourceId": node, "Status": each} for node, each in targets)
        run = AssociationRun(association, f"at {began}", began, status, listed)
        find_store().record_run(run)

    def refuse_next(self) -> None:
        find_store().fail_next("DescribeAssociationExecutions", "AccessDeniedException")

    def fail_next(self) -> None:
        find_store().fail_next("DescribeAssociationExecutionTargets", "InternalServerError")


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with serve_aws() as running:
        yield running


@pytest.fixture(scope="module")
def ssm(server: AwsServer) -> Iterator["SSMClient"]:
    session = make_session()
    with closing(session.client("ssm", endpoint_url=server.url, config=NO_RETRIES)) as client:
        yield client


@pytest.fixture(params=["memory", "aws"])
def manager(request: pytest.FixtureRequest, server: AwsServer, ssm: "SSMClient") -> StateManager:
    server.reset()
    return InMemory() if request.param == "memory" else OnAws(ssm)


def test_an_execution_has_its_targets_with_their_status(manager: StateManager) -> None:
    manager.run(ASSOCIATION, BEGAN, TWO)

    assert manager.executions.targets(ASSOCIATION, BEGAN) == Targets(dict(TWO))


def test_the_nearest_execution_of_the_association_counts(manager: StateManager) -> None:
    manager.run(ASSOCIATION, BEGAN - 3 * SECOND, [("earlier", "Success")])
    manager.run(ASSOCIATION, BEGAN + 2 * SECOND, [("nearest", "Success")])
    manager.run(ASSOCIATION, BEGAN + 4 * SECOND, [("later", "Success")])
    manager.run(OTHER, BEGAN, [("other", "Success")])

    assert manager.executions.targets(ASSOCIATION, BEGAN) == Targets({"nearest": "Success"})


@pytest.mark.parametrize("sign", [-1, 1])
def test_an_execution_further_away_than_ten_minutes_is_another_one(
    manager: StateManager, sign: int
) -> None:
    manager.run(ASSOCIATION, BEGAN + sign * (SAME_EXECUTION + SECOND), TWO)
    assert manager.executions.targets(ASSOCIATION, BEGAN) is None

    manager.run(ASSOCIATION, BEGAN + sign * SAME_EXECUTION, TWO)
    assert manager.executions.targets(ASSOCIATION, BEGAN) == Targets(dict(TWO))


@pytest.mark.parametrize(("status", "running"), [("InProgress", True), ("Failed", False)])
def test_an_execution_says_whether_it_still_runs(
    manager: StateManager, status: str, running: bool
) -> None:
    manager.run(ASSOCIATION, BEGAN, TWO, status)

    assert manager.executions.targets(ASSOCIATION, BEGAN) == Targets(dict(TWO), running)


@pytest.mark.parametrize("number", [1, 49, 50, 51, 120])
def test_every_target_of_every_page_is_read(manager: StateManager, number: int) -> None:
    targets = [(f"i-{each}", "Success") for each in range(number)]
    manager.run(ASSOCIATION, BEGAN, targets)

    assert manager.executions.targets(ASSOCIATION, BEGAN) == Targets(dict(targets))


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (["Success", "Failed"], "Failed"),
        (["Failed", "Success"], "Failed"),
        (["Failed", "In Progress", "Success"], "In Progress"),
        (["Success", ""], ""),
        (["Nonsense", "Success"], "Nonsense"),
    ],
)
def test_a_target_that_is_listed_repeatedly_has_its_worst_status(
    manager: StateManager, statuses: list[str], worst: str
) -> None:
    manager.run(ASSOCIATION, BEGAN, [("i-1", status) for status in statuses])

    assert manager.executions.targets(ASSOCIATION, BEGAN) == Targets({"i-1": worst})


def test_an_execution_without_a_target_says_nothing(manager: StateManager) -> None:
    manager.run(ASSOCIATION, BEGAN, [])

    assert manager.executions.targets(ASSOCIATION, BEGAN) is None


def test_what_is_refused_or_fails_is_tried_once(manager: StateManager) -> None:
    manager.run(ASSOCIATION, BEGAN, TWO)

    manager.refuse_next()
    with pytest.raises(Forbidden):
        manager.executions.targets(ASSOCIATION, BEGAN)
    manager.fail_next()
    with pytest.raises(ServiceError):
        manager.executions.targets(ASSOCIATION, BEGAN)

    assert manager.executions.targets(ASSOCIATION, BEGAN) == Targets(dict(TWO))
