"""The report of `ops scan`, from the facts that the functions really return."""

from chalicelib.entrypoints.telemetry import summarize_scan
from ops.scan import describe_scans
from tests.fleet import Service


def test_a_scan_is_described_by_the_facts_of_the_function() -> None:
    service = Service()
    service.report("i-1", "A", "B")
    found = summarize_scan(service.run(), {"ssm.ListComplianceItems": 3})

    lines = describe_scans({"scans": [found]}).splitlines()

    assert lines[0].startswith(f"Scan {found['scan_id']}, ")
    assert lines[0].endswith(" s, 3 AWS calls")
    assert lines[1:] == [
        "  nodes      1 known, 1 changed, 0 deferred, 0 unverified, 0 missing",
        "  findings   2 new, 0 fixed, 0 gone with their node, 2 open, 0 snoozed",
        "  announced  2 findings (new)",
        "  delivery   2 steps succeeded, 0 failed, 0 messages pending",
    ]


def test_a_scan_without_news_announces_nothing() -> None:
    service = Service()
    service.report("i-1", "A")
    service.run()

    text = describe_scans({"scans": [summarize_scan(service.run(), {})]})

    assert "  announced  nothing" in text.splitlines()


def test_a_braked_scan_explains_itself() -> None:
    found = summarize_scan(Service().run(), {}) | {"braked": True}

    assert "too many nodes are missing, so none was removed" in describe_scans({"scans": [found]})


def test_without_a_scan_another_one_is_running() -> None:
    assert "Another scan is running" in describe_scans({"busy": True, "scans": []})
