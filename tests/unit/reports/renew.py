"""Renews the golden files: `python -m tests.unit.reports.renew`. Then read the diff."""

import json
from pathlib import Path

from chalicelib.reports.csv_file import render_csv
from chalicelib.reports.slack_blocks import Rendered
from chalicelib.reports.slack_monthly import render_monthly
from tests.unit.reports import alerts
from tests.unit.reports.samples import BERLIN, HOSTILE, ORIGIN, ROWS, render_alert

GOLDEN = Path(__file__).parent / "golden"


def render_messages() -> dict[str, Rendered]:
    """Renders every golden message, by the name of its file."""
    return {
        "new": render_alert(alerts.NEW, ORIGIN),
        "one_finding": render_alert(alerts.ONE_FINDING, BERLIN, alerts.FIX),
        "partial": render_alert(alerts.PARTIAL, ORIGIN),
        "snooze_ended": render_alert(alerts.SNOOZE_ENDED, ORIGIN),
        "unchecked": render_alert(alerts.UNCHECKED, ORIGIN),
        "nothing_new": render_alert(alerts.NOTHING_NEW, BERLIN),
        "partly_checked": render_alert(alerts.PARTLY_CHECKED, ORIGIN),
        "perhaps_checked": render_alert(alerts.PERHAPS_CHECKED, ORIGIN),
        "not_checked": render_alert(alerts.NOT_CHECKED, ORIGIN),
        "snoozed": render_alert(alerts.SNOOZED, ORIGIN),
        "fixed": render_alert(alerts.FIXED, ORIGIN),
        "no_report": render_alert(alerts.NO_REPORT, ORIGIN),
        "incomplete": render_alert(alerts.INCOMPLETE, ORIGIN),
        "complete_again": render_alert(alerts.COMPLETE_AGAIN, ORIGIN),
        "silent": render_alert(alerts.SILENT, ORIGIN),
        "hostile": render_alert(alerts.HOSTILE_TEXT, ORIGIN, " ".join(HOSTILE)),
        "monthly": render_monthly(alerts.MONTH, BERLIN),
        "monthly_empty": render_monthly(alerts.EMPTY_MONTH, BERLIN),
    }


def render_files() -> dict[str, bytes]:
    """Renders every golden file, by name: the messages as Slack gets them, and the CSV."""
    files = {
        f"{name}.json": json.dumps(
            {"text": message.text, "blocks": message.blocks}, indent=2, ensure_ascii=False
        ).encode()
        + b"\n"
        for name, message in render_messages().items()
    }
    return {**files, "findings.csv": b"".join(render_csv(ROWS))}


def main() -> None:
    """Replaces every golden file by what the renderers return now."""
    for old in GOLDEN.iterdir():
        old.unlink()
    for name, content in render_files().items():
        (GOLDEN / name).write_bytes(content)


if __name__ == "__main__":
    main()
