"""The bounds of a scan, as random tests vary them. No result depends on them."""

from hypothesis import strategies as st

from chalicelib.usecases.context import Bounds


def any_bounds(most: int) -> st.SearchStrategy[Bounds]:
    """Bounds of 1 to `most`, which divide nothing, or the usual ones.

    Either may let each change have a mark.
    """
    sizes = st.integers(min_value=1, max_value=most)
    usual = st.builds(
        Bounds,
        unmarked_rows=st.sampled_from([0, Bounds().unmarked_rows]),
        settled_snoozes=st.sampled_from([1, Bounds().settled_snoozes]),
    )
    return usual | st.builds(
        Bounds,
        chunk_pages=sizes,
        gone_nodes=sizes,
        facts_a_row=sizes,
        ids_a_mark=sizes,
        unmarked_rows=st.integers(min_value=0, max_value=12),
        settled_snoozes=sizes,
    )
