from hypothesis import given
from hypothesis import strategies as st

from chalicelib.usecases.scan.stored import NodeLookup, prefer_table

NODES = st.lists(
    st.builds(NodeLookup, st.just("i-1"), st.integers(0, 500), st.integers(0, 500)), min_size=1
)


def nodes(number: int, stored: int = 20) -> list[NodeLookup]:
    return [NodeLookup(f"i-{each}", stored, 20) for each in range(number)]


def test_an_empty_table_is_read_at_once() -> None:
    assert prefer_table(nodes(5_000, stored=0), 0)
    assert prefer_table(nodes(1, stored=0), 0)


def test_one_node_of_many_is_asked_for() -> None:
    assert not prefer_table(nodes(1), 10_000)
    assert not prefer_table(nodes(10), 100_000)


def test_a_fifth_of_a_fleet_is_read_with_all_the_rest() -> None:
    assert prefer_table(nodes(10), 1_000)
    assert prefer_table(nodes(100), 10_000)
    assert prefer_table(nodes(1_000), 100_000)


def test_a_table_of_millions_is_not_read_for_a_hundredth_of_it() -> None:
    assert not prefer_table(nodes(1_000), 2_000_000)
    assert prefer_table(nodes(50_000), 2_000_000)


@given(NODES, st.integers(0, 10_000_000), st.integers(0, 10_000_000))
def test_a_larger_table_is_never_the_better_bargain(
    wanted: list[NodeLookup], one: int, other: int
) -> None:
    smaller, larger = sorted((one, other))
    assert prefer_table(wanted, smaller) >= prefer_table(wanted, larger)


@given(NODES, NODES, st.integers(0, 10_000_000))
def test_more_nodes_are_never_better_asked_for_one_by_one(
    wanted: list[NodeLookup], more: list[NodeLookup], table: int
) -> None:
    assert prefer_table(wanted, table) <= prefer_table([*wanted, *more], table)
