import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.compliance import (
    Doubt,
    Execution,
    Item,
    NodeReport,
    SummaryRow,
    group_reports,
)
from chalicelib.domain.errors import Forbidden, Unavailable
from chalicelib.usecases.scan.read import (
    CHUNK_PAGES,
    GRACE,
    list_summaries,
    open_reader,
    read_node,
    split_into_chunks,
)
from tests.fleet import START, TYPE, FakeClock, Service, make_item


def report(node: str, count: int = 1) -> NodeReport:
    row = SummaryRow(node, TYPE, Execution("run-1", START, count), 1)
    return group_reports([row])[node]


def test_chunks_end_at_node_boundaries_and_lose_no_node() -> None:
    fleet = [report(f"i-{number}", 50 * (number % 7)) for number in range(100)]
    parts = list(split_into_chunks(fleet))
    assert [each for part in parts for each in part] == fleet
    pages = [sum(max(1, -(-each.count // 50)) for each in part) for part in parts]
    assert all(total >= CHUNK_PAGES for total in pages[:-1])
    assert list(split_into_chunks([])) == []


def test_a_node_larger_than_a_chunk_is_a_chunk_of_its_own() -> None:
    fleet = [report("i-1", 10_000), report("i-2"), report("i-3")]
    assert [len(part) for part in split_into_chunks(fleet)] == [1, 2]


def test_no_reading_begins_when_the_time_is_up() -> None:
    service = Service()
    service.report("i-1", "A")
    with open_reader(service.compliance, 2, service.clock, {}) as node_reader:
        assert list(node_reader.read([[report("i-1")]], START, ahead=True)) == []
        until = START + timedelta(seconds=1)
        (begun,) = node_reader.read([[report("i-1")]], until, ahead=True)
        (reading,) = begun.readings()
    assert reading.doubt is None
    assert service.compliance.reads == ("i-1",)


def test_a_reading_that_hangs_is_left_and_the_others_are_kept() -> None:
    release = threading.Event()

    class Hanging:
        def summaries(self) -> Sequence[SummaryRow]:
            raise AssertionError

        def items(self, instance_id: str, types: Sequence[str]) -> Sequence[Item]:  # noqa: ARG002
            asked.set()
            if instance_id == "i-1":
                release.wait(30)
            return [make_item("A")]

    until = datetime.now(UTC) - GRACE + timedelta(seconds=0.3)
    early = FakeClock(until - timedelta(seconds=1))

    asked = threading.Event()

    def clock() -> datetime:
        """Early while it is asked whether to begin, the present for the one that waits."""
        waits = threading.current_thread() is threading.main_thread() and asked.is_set()
        return datetime.now(UTC) if waits else early()

    with open_reader(Hanging(), 2, clock, {}) as node_reader:
        (begun,) = node_reader.read([[report("i-1"), report("i-2")]], until, ahead=True)
        readings = begun.readings()
        release.set()
    assert [each.report.instance_id for each in readings] == ["i-2"]


@pytest.mark.parametrize(("ahead", "begun"), [(True, ["i-1", "i-2"]), (False, ["i-1"])])
def test_while_one_chunk_is_worked_on_the_next_is_read_and_no_further(
    ahead: bool, begun: list[str]
) -> None:
    read = threading.Event()

    class Telling:
        def summaries(self) -> Sequence[SummaryRow]:
            raise AssertionError

        def items(self, instance_id: str, types: Sequence[str]) -> Sequence[Item]:  # noqa: ARG002
            if instance_id == begun[-1]:
                read.set()
            return [make_item("A")]

    asked: list[str] = []

    def one_by_one() -> Iterator[list[NodeReport]]:
        for node in ("i-1", "i-2", "i-3"):
            asked.append(node)
            yield [report(node)]

    until = START + timedelta(seconds=1)
    with open_reader(Telling(), 2, lambda: START, {}) as node_reader:
        first = next(node_reader.read(one_by_one(), until, ahead=ahead))
        assert [each.instance_id for each in first.reports] == ["i-1"]
        assert read.wait(30)
    assert asked == begun


def test_a_list_without_end_is_no_list_and_ends_in_time() -> None:
    release = threading.Event()

    class Endless:
        def summaries(self) -> Sequence[SummaryRow]:
            release.wait(30)
            return ()

        def items(self, instance_id: str, types: Sequence[str]) -> Sequence[Item]:  # noqa: ARG002
            raise AssertionError

    until = datetime.now(UTC) - GRACE + timedelta(seconds=0.2)
    with pytest.raises(Unavailable, match="did not list the fleet"):
        list_summaries(Endless(), lambda: datetime.now(UTC), until)
    assert not release.is_set()
    release.set()


def test_a_node_that_may_not_be_read_is_in_doubt() -> None:
    class Refusing:
        def summaries(self) -> Sequence[SummaryRow]:
            raise AssertionError

        def items(self, instance_id: str, types: Sequence[str]) -> Sequence[Item]:
            raise Forbidden(f"SSM refuses {instance_id} {types}")

    reading = read_node(Refusing(), report("i-1"))
    assert (reading.doubt, reading.folded.observations) == (Doubt.UNREADABLE, ())
