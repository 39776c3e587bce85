"""The monthly message, by example."""

from msgspec.structs import replace

from chalicelib.domain.finding import Severity
from chalicelib.reports.slack_blocks import MAX_ATTACHED_ROWS
from chalicelib.reports.slack_monthly import render_monthly
from tests.unit.reports import alerts
from tests.unit.reports.samples import ORIGIN
from tests.unit.reports.slack_blocks import get_text


def test_a_month_shows_its_file_and_the_age_of_the_oldest_finding() -> None:
    text = get_text(render_monthly(alerts.MONTH, ORIGIN))

    assert "first seen 2026-01-04 06:30 UTC, 331 days ago" in text
    assert "CSV in the thread and in S3: monthly/2026/12/non-compliant-2026-12-01.csv" in text


def test_a_month_without_known_nodes_is_not_an_all_clear() -> None:
    month = replace(alerts.MONTH, known_nodes=0, oldest=None)

    text = get_text(render_monthly(month, ORIGIN))

    assert "*No nodes are known.* Nothing was checked." in text


def test_a_month_with_more_rows_than_a_thread_gets_names_the_file_in_the_bucket() -> None:
    month = replace(alerts.MONTH, by_severity={Severity.LOW: MAX_ATTACHED_ROWS + 1})

    text = get_text(render_monthly(month, ORIGIN))

    where = "The CSV in the thread has the worst 20,000 of 20,001 findings. "
    assert f"{where}The complete CSV is in S3: {month.csv_key}" in text
