"""Messages and the CSV as they were read last. `renew.py` renews them."""

import pytest

from tests.unit.reports.renew import GOLDEN, render_files


@pytest.mark.parametrize("name", sorted(render_files()))
def test_a_golden_file_is_unchanged(name: str) -> None:
    assert (GOLDEN / name).read_bytes() == render_files()[name]


def test_every_golden_file_is_rendered() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == render_files().keys()
