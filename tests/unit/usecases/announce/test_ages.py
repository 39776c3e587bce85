"""Every CSV says when the node of a finding was last verified, also one that is built later."""

from collections.abc import Iterable, Iterator

import pytest

from chalicelib.domain.errors import DeliveryError
from chalicelib.domain.history import ChangedFinding
from chalicelib.domain.snooze import ListedFinding
from tests.fleet import HOUR, START, Service


def render(rows: Iterable[ListedFinding | ChangedFinding]) -> Iterator[bytes]:
    """Yields instance, title and age of each row."""
    for row in rows:
        age = (row.checked_at - START) // HOUR if row.checked_at else "unknown"
        yield f"{row.finding.instance_id} {row.finding.title} {age}\n".encode()


def render_announced(rows: Iterable[tuple[ListedFinding, str]]) -> Iterator[bytes]:
    return render(row for row, _ in rows)


def run(service: Service) -> None:
    service.run(render_csv=render, render_announced=render_announced, render_changes=render)


def read_files(service: Service) -> list[list[str]]:
    """Returns the lines of every stored file, by its key."""
    objects = service.files.objects
    return [objects[key].decode().splitlines() for key in sorted(objects)]


@pytest.mark.parametrize("refused", [0, 2, 4])
def test_every_csv_says_when_the_node_of_a_finding_was_last_verified(
    service: Service, refused: int
) -> None:
    service.report("i-1", "A", "B")
    service.report("i-2", "A")
    run(service)
    service.clock.forward(HOUR)
    service.report("i-1", "A", "C", run="run-2")
    service.compliance.remove("i-2")
    run(service)
    service.clock.forward(HOUR)
    service.report("i-1", "A", "D", run="run-3", passed=["another check"])
    service.enqueue_month()

    service.files.fail(DeliveryError("SlowDown", retryable=True), times=refused)
    for _ in range(4):
        run(service)
        service.clock.forward(HOUR)

    first, second_changes, second, third_changes, third, month = read_files(service)
    assert sorted(first) == ["i-1 A 0", "i-1 B 0", "i-2 A 0"]
    assert (second, second_changes) == (["i-1 C 1"], ["i-1 B 1"])
    assert third == ["i-1 D 2"]
    # what is not checked any more, and what went with its node, has no result of that age
    assert third_changes == ["i-1 C unknown", "i-2 A unknown"]
    assert sorted(month) == ["i-1 A 2", "i-1 C unknown", "i-1 D 2"]
