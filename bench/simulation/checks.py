"""Checks a fleet's change while the service reads it in parts. Each check yields its errors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.simulation.fleet import CALLS_A_NODE, FINDINGS_A_NODE, ITEMS, SUMMARIES
from bench.simulation.service import SimulatedService, StoredCsv
from chalicelib.domain.finding import finding_id
from chalicelib.domain.history import EventKind
from chalicelib.reports.csv_file import CHANGE_COLUMNS
from chalicelib.usecases.run import ScanReport
from chalicelib.usecases.scan.read import PAGE

# The first words of an all-clear, and of a scan that found nothing.
CALMING = ("No new", "Scan complete", "No node")


@dataclass(frozen=True, slots=True)
class PartialScan:
    """The report of one scan, its messages and files, and the nodes it deferred."""

    report: ScanReport
    in_time: bool
    texts: Sequence[str]
    csvs: Sequence[StoredCsv]
    deferred: int


def check_scan(scan: PartialScan) -> Iterator[str]:
    """One message states the deferred nodes, and one file holds exactly the new findings."""
    report = scan.report
    if report.failure or report.undelivered or report.pending:
        yield f"failed: {report.failure!r} {report.undelivered} {len(report.pending)} pending"
    if not scan.in_time:
        yield "ended after its deadline"
    outcome = report.outcome
    if outcome is None or len(scan.texts) != 1 or len(scan.csvs) != 1:
        yield f"{len(scan.texts)} messages and {len(scan.csvs)} files"
        return
    (text,), (csv,) = scan.texts, scan.csvs
    if text.startswith(CALMING):
        yield f"an all-clear: {text}"
    unit = "node" if scan.deferred == 1 else "nodes"
    part = f" (partial scan, {scan.deferred:,} {unit} deferred)" if scan.deferred else ""
    headline = f"{len(outcome.new):,} new non-compliant findings{part} · "
    if not text.startswith(headline):
        yield f"{text!r} does not begin with {headline!r}"
    new = {int(finding.finding_id, 16) for finding in outcome.new}
    if csv.finding_ids != new or csv.rows != len(new):
        yield f"{csv.rows} rows for {len(new)} new findings"
    if csv.header != ",".join(f'"{column}"' for column in CHANGE_COLUMNS):
        yield f"the file begins with {csv.header}"


def check_end(service: SimulatedService, scans: int) -> Iterator[str]:
    """Each finding was announced once, the tables equal SSM, and each node was read once."""
    shown = {
        int(finding_id(node.instance_id, finding.title), 16): finding.severity
        for node, findings in service.now.build_stored("")
        for finding in findings
    }
    announced = [each.finding_ids for each in service.files.stored.values()]
    if sum(map(len, announced)) != len(shown) or frozenset().union(*announced) != shown.keys():
        yield f"{sum(map(len, announced))} findings in files, SSM shows {len(shown)}"
    stored = {int(row.finding_id, 16): row.severity for row in service.findings.list_rows()}
    if stored != shown:
        yield f"{len(stored)} stored findings are not the {len(shown)} of SSM"
    changes = service.now.nodes * FINDINGS_A_NODE
    if service.journal.lines != {EventKind.FIXED: changes}:
        yield f"history has {service.journal.lines}"
    calls = {
        SUMMARIES: scans * -(-service.now.nodes // PAGE),
        ITEMS: CALLS_A_NODE * service.now.nodes,
    }
    if service.ssm.calls != calls:
        yield f"calls to SSM: {service.ssm.calls}, not {calls}"
    if len(service.channel.texts) > scans + 1 or service.channel.files != len(announced):
        yield f"{len(service.channel.texts)} messages, {service.channel.files} files"


def check_quiet_scan(report: ScanReport, texts: Sequence[str]) -> Iterator[str]:
    """A scan after the end reads no node and announces nothing."""
    coverage = report.outcome.coverage if report.outcome else None
    if report.failure or coverage is None or coverage.read or texts:
        yield f"a scan after the end: {report.failure!r}, {coverage}, {texts}"
