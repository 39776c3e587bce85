import io
import json

from aws_lambda_powertools import Logger
from msgspec.structs import replace

from chalicelib.entrypoints.telemetry import report_scan
from tests.fleet import Service


def test_facts_that_cannot_be_read_are_named_by_their_numbers() -> None:
    service = Service()
    service.report("i-1", "A", "B", "C")
    service.run()
    service.ledger.last_fact = replace(service.ledger.last_fact, number=1)
    stream = io.StringIO()

    report_scan(Logger(service="test", stream=stream), "prod", service.run(), {})

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    (lost,) = (line for line in lines if line["message"] == "facts lost")
    assert (lost["level"], lost["facts"]) == ("ERROR", ["2 to 3"])
