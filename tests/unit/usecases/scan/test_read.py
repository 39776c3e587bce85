"""Nodes are read in chunks and in parallel, until the time is up."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.domain.compliance import (
    Doubt,
    Execution,
    ItemList,
    NodeReport,
    SummaryRow,
    group_reports,
)
from chalicelib.domain.errors import Forbidden, Unavailable
from chalicelib.usecases.scan.read import (
    GRACE,
    list_summaries,
    open_reader,
    read_node,
    split_into_chunks,
)
from tests.fleet import START, TYPE, FakeClock, Service, make_item
from tests.unit.usecases.broken_ports import UnusedCompliance

SECOND = timedelta(seconds=1)
# Seconds until a test gives up waiting for a thread.
PATIENCE = 30


def make_report(node: str, count: int = 1) -> NodeReport:
    row = SummaryRow(node, TYPE, Execution("run-1", START, count), 1)
    return group_reports([row], START)[node]


def test_chunks_end_at_node_boundaries_and_lose_no_node() -> None:
    fleet = [make_report(f"i-{number}", 50 * (number % 7)) for number in range(100)]

    chunks = list(split_into_chunks(fleet, 90))

    assert [each for chunk in chunks for each in chunk] == fleet
    pages = [sum(max(1, -(-each.count // 50)) for each in chunk) for chunk in chunks]
    assert all(total >= 90 for total in pages[:-1])
    assert list(split_into_chunks([], 90)) == []


def test_a_node_larger_than_a_chunk_is_a_chunk_of_its_own() -> None:
    fleet = [make_report("i-1", 10_000), make_report("i-2"), make_report("i-3")]

    assert [len(chunk) for chunk in split_into_chunks(fleet, 90)] == [1, 2]


def test_no_reading_begins_when_the_time_is_up() -> None:
    service = Service()
    service.report("i-1", "A")

    with open_reader(service.compliance, 2, service.clock, {}) as reader:
        assert list(reader.read([[make_report("i-1")]], START, ahead=True)) == []
        (chunk,) = reader.read([[make_report("i-1")]], START + SECOND, ahead=True)
        (reading,) = chunk()

    assert reading.doubt is None
    assert service.compliance.reads == ("i-1",)


def test_a_reading_that_hangs_is_given_up_and_the_others_are_kept() -> None:
    release, begun = threading.Event(), threading.Event()

    class HangsForOneNode(UnusedCompliance):
        def items(self, instance_id: str, types: Sequence[str]) -> ItemList:  # noqa: ARG002 - same signature
            begun.set()
            if instance_id == "i-1":
                release.wait(PATIENCE)
            return ItemList((make_item("A"),))

    until = datetime.now(UTC) - GRACE + 0.3 * SECOND
    early = FakeClock(until - SECOND)

    def clock() -> datetime:
        """Early for the threads that ask whether to begin, the real time for the one that waits."""
        waits = threading.current_thread() is threading.main_thread() and begun.is_set()
        return datetime.now(UTC) if waits else early()

    with open_reader(HangsForOneNode(), 2, clock, {}) as reader:
        (chunk,) = reader.read([[make_report("i-1"), make_report("i-2")]], until, ahead=True)
        readings = chunk()
        release.set()

    assert [each.report.instance_id for each in readings] == ["i-2"]


@pytest.mark.parametrize(("ahead", "begun"), [(True, ["i-1", "i-2"]), (False, ["i-1"])])
def test_at_most_the_next_chunk_is_read_ahead(ahead: bool, begun: list[str]) -> None:
    read = threading.Event()

    class SignalsLastNode(UnusedCompliance):
        def items(self, instance_id: str, types: Sequence[str]) -> ItemList:  # noqa: ARG002 - same signature
            if instance_id == begun[-1]:
                read.set()
            return ItemList((make_item("A"),))

    taken: list[str] = []

    def take_chunks() -> Iterator[list[NodeReport]]:
        for node in ("i-1", "i-2", "i-3"):
            taken.append(node)
            yield [make_report(node)]

    with open_reader(SignalsLastNode(), 2, lambda: START, {}) as reader:
        first = next(reader.read(take_chunks(), START + SECOND, ahead=ahead))

        assert [each.report.instance_id for each in first()] == ["i-1"]
        assert read.wait(PATIENCE)

    assert taken == begun


def test_a_list_without_end_is_given_up_in_time() -> None:
    release = threading.Event()

    class EndlessList(UnusedCompliance):
        def summaries(self) -> Sequence[SummaryRow]:
            release.wait(PATIENCE)
            return ()

    until = datetime.now(UTC) - GRACE + 0.2 * SECOND

    with pytest.raises(Unavailable, match="did not list the fleet"):
        list_summaries(EndlessList(), lambda: datetime.now(UTC), until)

    assert not release.is_set()
    release.set()


def test_a_node_that_ssm_refuses_to_list_is_unverified() -> None:
    class RefusesItems(UnusedCompliance):
        def items(self, instance_id: str, types: Sequence[str]) -> ItemList:
            raise Forbidden(f"SSM refuses {instance_id} {types}")

    reading = read_node(RefusesItems(), make_report("i-1"), None, START)

    assert (reading.doubt, reading.folded.observations) == (Doubt.UNREADABLE, ())
