"""What must hold while a fleet's change is read in parts; each check yields what is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.simulation.fleet import EACH
from bench.simulation.outputs import StoredCsv
from bench.simulation.service import Service
from bench.simulation.ssm import ITEMS, SUMMARIES
from chalicelib.domain.finding import finding_id
from chalicelib.domain.history import EventKind
from chalicelib.reports.csv_file import COLUMNS
from chalicelib.usecases.context import ScanReport
from chalicelib.usecases.read import PAGE

# Of an all-clear, and of a pass that found nothing.
CALMING = ("No new", "Scan complete", "No node")


@dataclass(frozen=True, slots=True)
class Part:
    """One pass: its report, when it had to be over, and what it said and stored."""

    report: ScanReport
    in_time: bool
    texts: Sequence[str]
    csvs: Sequence[StoredCsv]
    left: int


def of_part(part: Part) -> Iterator[str]:
    """One message that says how much is left, one file with exactly what was opened."""
    report = part.report
    if report.failure or report.undelivered or report.pending:
        yield f"not done: {report.failure!r} {report.undelivered} {len(report.pending)} pending"
    if not part.in_time:
        yield "ended after its deadline"
    outcome = report.outcome
    if outcome is None or len(part.texts) != 1 or len(part.csvs) != 1:
        yield f"{len(part.texts)} messages and {len(part.csvs)} files"
        return
    (text,), (csv,) = part.texts, part.csvs
    if text.startswith(CALMING):
        yield f"an all-clear: {text}"
    unit = "node" if part.left == 1 else "nodes"
    rest = f" (part, {part.left:,} {unit} left)" if part.left else ""
    headline = f"{len(outcome.new):,} new non-compliant findings{rest} · "
    if not text.startswith(headline):
        yield f"{text!r} does not begin with {headline!r}"
    opened = {int(finding.finding_id, 16) for finding in outcome.new}
    if csv.finding_ids != opened or csv.rows != len(opened):
        yield f"{csv.rows} rows for {len(opened)} opened findings"
    if csv.head != ",".join(f'"{column}"' for column in COLUMNS):
        yield f"the file begins with {csv.head}"


def of_whole(service: Service, scans: int) -> Iterator[str]:
    """Everything told once, stored as SSM shows it, read once; no more messages than scans."""
    shown = {
        int(finding_id(node.instance_id, finding.title), 16): finding.severity
        for node, findings in service.now.stored("")
        for finding in findings
    }
    told = [each.finding_ids for each in service.files.stored.values()]
    if sum(map(len, told)) != len(shown) or frozenset().union(*told) != shown.keys():
        yield f"{sum(map(len, told))} findings in files, SSM shows {len(shown)}"
    stored = {int(row.finding_id, 16): row.severity for row in service.findings.rows()}
    if stored != shown:
        yield f"{len(stored)} findings stored are not the {len(shown)} of SSM"
    changes = service.now.nodes * EACH
    if service.journal.lines != {EventKind.NEW: changes, EventKind.FIXED: changes}:
        yield f"history has {service.journal.lines}"
    calls = {SUMMARIES: scans * -(-service.now.nodes // PAGE), ITEMS: service.now.nodes}
    if service.ssm.calls != calls:
        yield f"SSM was called {service.ssm.calls}, not {calls}"
    if len(service.channel.texts) > scans + 1 or service.channel.files != len(told):
        yield f"{len(service.channel.texts)} messages, {service.channel.files} files"


def of_quiet(report: ScanReport, texts: Sequence[str]) -> Iterator[str]:
    """Nothing is left to read or to say."""
    coverage = report.outcome.coverage if report.outcome else None
    if report.failure or coverage is None or coverage.read or texts:
        yield f"a pass after the end: {report.failure!r}, {coverage}, {texts}"
