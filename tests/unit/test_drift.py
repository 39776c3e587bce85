"""Documents quote the code, and these tests compare each quote with its source.

The conventions: text in double quotes is a text of the program, with … for what it
fills in. A number of the code is followed by its constant: 30 s (`STEP_TIME`).
"""

import ast
import importlib
import json
import pkgutil
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import chalicelib
import ops
from chalicelib.domain.announcement import DecisionReason
from chalicelib.entrypoints import telemetry
from tests.fleet import FILE, POST, STORE, Service
from tests.unit.test_documentation import DOCUMENTS, OPERATIONS, ROOT, list_quotes, read_section

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
DECISIONS = ROOT / "docs" / "decisions"
# Decisions and measurements also quote other programs, and earlier versions of this one.
QUOTING = [
    each
    for each in DOCUMENTS
    if each.parent == ROOT / "docs" and each.name not in {"benchmarks.md", "scaling.md"}
] + [ROOT / "SECURITY.md"]

NUMBER = re.compile(r"(\d[\d,]*)((?:[ \n][\w/-]+){0,4})[ \n]\(`([A-Z][A-Z_]+)`\)")
QUOTE = re.compile(r'"([^"\n]*(?:\n[^"\n]+)?)"')
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`[^`\n]+`")
LOG_ROW = re.compile(r"^\| `([^`]+)` \| (INFO|WARNING|ERROR) \|", re.MULTILINE)
# a folder or file below chalicelib, such as `domain/diff.py`
BELOW = re.compile(r"`((?:adapters|domain|entrypoints|reports|usecases)/[\w/.]*)`")

# Names of AWS that our code does not use, and decisions say why.
OF_OTHERS = ("AWS_DATA_PATH", "RetainExceptOnCreate")
UNITS = {
    "s": 1,
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "MB": 1024**2,
}


def read_prose(document: Path) -> str:
    """Returns a document without its fenced blocks."""
    return FENCED.sub("", document.read_text())


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


def import_modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


@cache
def collect_constants() -> dict[str, list[Any]]:
    """Maps names in capitals to their values, in every module that has them."""
    constants: dict[str, list[Any]] = defaultdict(list)
    for package in (chalicelib, ops):
        for module in import_modules(package):
            for name, value in vars(module).items():
                if name.isupper():
                    constants[name].append(value)
    # not imported: it starts the stand-ins
    for node in ast.parse((ROOT / "tests/functional/test_files_run.py").read_text()).body:
        match node:
            case ast.Assign([ast.Name(name)], ast.Constant(value)):
                constants[name].append(value)
    return constants


def parse_sources() -> Iterator[ast.Module]:
    for folder in ("chalicelib", "devstack", "ops"):
        for file in (ROOT / folder).rglob("*.py"):
            yield ast.parse(file.read_text())


@cache
def collect_texts() -> frozenset[str]:
    """Collects the texts of the program. … stands for what is filled in."""
    texts = {" ".join(file.read_text().split()) for file in (ROOT / "infra").glob("*.yaml")}
    for source in parse_sources():
        for node in ast.walk(source):
            match node:
                case ast.Constant(str(value)):
                    texts.add(re.sub(r"\{\w*\}", "…", value))
                case ast.JoinedStr(parts):
                    texts.add("".join(map(_text_of, parts)))
    return frozenset(" ".join(text.replace("*", "").split()) for text in texts)


def _text_of(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "…"


def collect_log_lines() -> dict[str, str]:
    """Maps each constant message that the service logs to its level."""
    lines = {}
    for file in (ROOT / "chalicelib").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    ast.Attribute(_, "info" | "warning" | "error" as level),
                    [ast.Constant(str(message)), *_],
                ):
                    lines[message] = level.upper()
    return lines


def has_value(value: Any, number: int, words: str) -> bool:
    """Whether a constant is this number, of the unit that follows it."""
    first = words.split(maxsplit=1)[0] if words else ""
    unit = UNITS.get(first, UNITS.get(first.rstrip("s"), 1))
    if isinstance(value, timedelta):
        return value.total_seconds() == number * unit
    if isinstance(value, tuple):
        return len(value) == number
    return value in (number, number * unit)


def occurs(quote: str, texts: frozenset[str]) -> bool:
    """Whether the parts of a quote between its ellipses occur in one text, in order."""
    parts = [each.strip() for each in re.split(r"…|\bN\b", " ".join(quote.split()))]
    return any(has_in_order(text, parts) for text in texts)


def has_in_order(text: str, parts: Sequence[str]) -> bool:
    start = 0
    for part in parts:
        start = text.find(part, start)
        if start < 0:
            return False
        start += len(part)
    return True


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_number_before_a_constant_is_its_value(document: Path) -> None:
    constants = collect_constants()
    wrong = [
        f"{number}{words} ({name})"
        for number, words, name in NUMBER.findall(read_prose(document))
        if not any(
            has_value(value, int(number.replace(",", "")), words) for value in constants[name]
        )
    ]
    assert wrong == []


def test_documents_name_the_constants_of_their_numbers() -> None:
    found = [NUMBER.findall(read_prose(each)) for each in DOCUMENTS]
    assert len([each for every in found for each in every]) > 30


@pytest.mark.parametrize("document", QUOTING, ids=name_of)
def test_a_quoted_text_is_one_of_the_program(document: Path) -> None:
    texts = collect_texts()
    prose = SPAN.sub("", read_prose(document))
    wrong = [quote for quote in QUOTE.findall(prose) if not occurs(quote, texts)]
    assert wrong == []


@pytest.mark.parametrize("heading", ["## Messages in Slack", "### When a scan is incomplete"])
def test_the_first_column_about_messages_quotes_them(heading: str) -> None:
    texts = collect_texts()
    rows = re.findall(r"^\| (.+?) \| ", read_section(OPERATIONS, heading), re.MULTILINE)
    wrong = [
        row
        for row in rows
        if row not in {"Headline", "Line", "Text", "---"}
        and not occurs(re.sub(r"[*`]", "", row), texts)
    ]
    assert wrong == []


def test_the_log_lines_are_those_of_the_code_with_their_levels() -> None:
    assert dict(LOG_ROW.findall(read_section(OPERATIONS, "## Logs"))) == collect_log_lines()


def test_the_fields_of_a_scan_are_those_of_the_code() -> None:
    service = Service()
    service.report("i-1", "A")
    service.enqueue(nodes={"Success": 1})
    _, _, table = read_section(OPERATIONS, "## Logs").partition("| Field | ")
    documented = {
        field
        for column in re.findall(r"^\| (.+?) \| ", table, re.MULTILINE)
        for field in list_quotes(column)
    }
    assert documented == telemetry.summarize_scan(service.run(), {}).keys()


def test_every_name_in_the_tables_of_logs_occurs_in_the_code() -> None:
    names = {
        each
        for each in list_quotes(read_section(OPERATIONS, "## Logs"))
        if re.fullmatch(r"[a-z_]+", each)
    }
    texts = collect_texts()
    assert {name for name in names if name not in texts} == set()


def read_stores() -> str:
    folder = ROOT / "chalicelib" / "adapters" / "dynamodb"
    return "".join(each.read_text() for each in folder.glob("*.py"))


def list_ledger_rows() -> list[tuple[str, str]]:
    """Lists the documented keys, partition and sort key."""
    _, _, table = ARCHITECTURE.partition("| `pk` | `sk` | ")
    return re.findall(r"^\| `(.+?)` \| `(.+?)` \| ", table.partition("\n\n")[0], re.MULTILINE)


def test_every_row_of_the_ledger_is_in_the_stores() -> None:
    stores = read_stores()
    rows = list_ledger_rows()
    assert len(rows) > 8
    assert {key for row in rows for key in row if key not in stores} == set()


def test_the_rows_of_unfinished_work_are_exactly_those_of_the_stores() -> None:
    documented = {
        key.partition("#")[0] for partition, key in list_ledger_rows() if partition == "OPEN"
    }
    assert documented == set(re.findall(r"open_key\(\"([A-Z]+)\"", read_stores()))


def test_every_partition_of_the_ledger_is_documented() -> None:
    documented = {partition.partition("#")[0] for partition, _ in list_ledger_rows()}
    stores = read_stores()
    partitions = {
        *re.findall(r"\"pk\": f?\"([A-Z]+)", stores),
        *re.findall(r"Key\(\"pk\"\)\.eq\(f?\"([A-Z]+)", stores),
        *re.findall(r"^_?[A-Z]+ = \"([A-Z]+)\"$", stores, re.MULTILINE),
        *re.findall(r"return f\"([A-Z]+)#", stores),
    }
    assert {"OPEN", "FACTS", "TITLE", "FINDING", "SNOOZE", "LEASE"} <= partitions
    assert partitions == documented


def test_the_actions_of_each_statement_are_those_of_the_policies() -> None:
    statements = [
        statement
        for file in (ROOT / ".chalice").glob("policy-*.json")
        for statement in json.loads(file.read_text())["Statement"]
    ]
    allowed = {
        each["Sid"]: {action.partition(":")[2] for action in each["Action"]} for each in statements
    }
    text = (ROOT / "docs" / "permissions.md").read_text()
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| ", read_section(text, "## The functions"), re.MULTILINE
    )
    assert {sid: list_quotes(actions) for sid, actions in rows} == allowed


def test_every_reason_and_every_step_is_explained() -> None:
    explained = list_quotes(ARCHITECTURE)
    assert {reason.name for reason in DecisionReason} <= explained
    assert {POST, f"{FILE}:", f"{STORE}:"} <= explained


def test_the_layers_are_those_of_the_import_contracts() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    for contract in contracts["contracts"]:
        if contract["type"] == "layers":
            layers = [
                ", ".join(f"`{each}`" for each in layer.split(" | "))
                for layer in contract["layers"]
            ]
            assert " > ".join(layers) in ARCHITECTURE


def test_the_rules_of_the_state_machine_that_hold_a_promise_exist() -> None:
    files = [
        ROOT / "tests" / "reliability" / name for name in ("test_inbox_machine.py", "machine.py")
    ]
    source = "".join(file.read_text() for file in files)
    text = (ROOT / "docs" / "reliability.md").read_text()
    rules = {
        rule for each in re.findall(r"::TestInbox` \((.+?)\)", text) for rule in list_quotes(each)
    }
    assert rules
    assert {rule for rule in rules if f"def {rule}(" not in source} == set()


def test_every_path_below_the_package_exists() -> None:
    paths = [path for document in DOCUMENTS for path in BELOW.findall(document.read_text())]
    assert paths
    assert [path for path in paths if not (ROOT / "chalicelib" / path).exists()] == []


def test_every_name_in_the_architecture_and_decisions_is_in_the_code() -> None:
    """A superseded decision keeps the names of its time."""
    files = [
        file
        for folder in ("chalicelib", "devstack", "ops", "infra", "tests")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".py", ".yaml"} and file != Path(__file__)
    ]
    sources = " ".join(each.read_text() for each in (ROOT / "app.py", *files))
    words = {*re.findall(r"\w+", sources), *OF_OTHERS}
    names = {
        name
        for text in (ARCHITECTURE, *(each.read_text() for each in DECISIONS.iterdir()))
        if "\nSuperseded by " not in text
        for name in list_quotes(text)
        if re.fullmatch(r"_?[A-Za-z]+(_[A-Za-z]+)+|[A-Z][a-z]+([A-Z][a-z]+)+", name)
    }
    assert len(names) > 30
    assert names - words == set()
