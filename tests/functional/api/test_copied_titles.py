"""A person copies a title from where it is shown into a snooze, and the snooze covers it."""

import csv
import io
from collections.abc import Iterator

import pytest

from devstack.inspec.loader import FLEET, load_sample, read_clock
from tests.functional.api.client import ApiClient, open_api
from tests.functional.service import NODE, Service, run_service

pytestmark = pytest.mark.enable_socket

# What makes copying hard: white space, length, formulas, case, secrets, stars.
HARD = [
    'SSH  must not\tallow root : Parse Config is expected to cmp == "no"',
    "a title with a space at its end ",
    "first line\n  second line\r\nthird",
    "=cmd|' /C calc'!A0",
    "mode 0644; -rw-r--r-- root",
    "2026-11-28",
    "1.10",
    "Überprüfung : café is expected to exist",
    "password=hunter22 must not be in /etc/app.conf",
    "File /tmp/* must not be writable",
    f"a very long title {'that goes on ' * 30}",
    ("-;=" * 200)[:500],
]


@pytest.fixture
def service() -> Iterator[Service]:
    """The fleet of the samples, and a node with hard titles, one scan later."""
    with run_service() as service:
        began = read_clock()
        for node, report in FLEET.items():
            load_sample(service.stack.aws.url, node, report)
        for number, title in enumerate(HARD):
            service.report_items(
                [
                    {
                        "Id": f"hard-{number:02}-0",
                        "Title": title,
                        "Severity": "HIGH",
                        "Status": "NON_COMPLIANT",
                    }
                ],
                node=f"{NODE[:-2]}{number:02}",
            )
        service.handlers.scan(began, {"Success": len(FLEET) + len(HARD)})
        yield service


def list_slack_titles(service: Service) -> list[str]:
    """Returns the titles in the tables of messages, as Slack shows them."""
    return [
        row[1]["text"]
        for message in service.stack.slack.messages
        for block in message.blocks
        if block["type"] == "table"
        for row in block["rows"][1:]
    ]


def list_csv_titles(service: Service) -> list[str]:
    rows = csv.DictReader(io.StringIO(service.read_csv(), newline=""))
    return [row["title"] for row in rows]


def list_api_titles(api: ApiClient) -> list[str]:
    items = api.get("/v1/findings?limit=200").json["items"]
    return [item["title"] for item in items]


def test_every_title_can_be_copied_from_anywhere_into_a_snooze(service: Service) -> None:
    with open_api(service) as api:
        sources = {
            "Slack": list_slack_titles(service),
            "CSV": list_csv_titles(service),
            "API": list_api_titles(api),
        }
        missed = [
            (source, title)
            for source, titles in sources.items()
            for title in sorted(set(titles))
            for body in [{"title": title, "duration": "P1D", "reason": "other", "comment": "try"}]
            if not api.call("POST", "/v1/snoozes/preview", body).json["total"]
        ]

        assert missed == []
        assert len(sources["Slack"]) == 10
        assert len(sources["CSV"]) == len(sources["API"]) > 40
