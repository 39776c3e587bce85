"""Writes the golden files again: `python -m tests.unit.reports.renew`, then read the diff."""

from pathlib import Path

from tests.unit.reports.samples import golden_files

GOLDEN = Path(__file__).parent / "golden"


def main() -> None:
    """Replace every golden file by what the renderers make now."""
    for old in GOLDEN.iterdir():
        old.unlink()
    for name, content in golden_files().items():
        (GOLDEN / name).write_bytes(content)


if __name__ == "__main__":
    main()
