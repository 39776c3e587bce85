"""README and docs agree with the code on settings, routes, metrics, error codes and links."""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from chalicelib import aws as errors
from chalicelib import settings
from chalicelib.adapters import s3
from chalicelib.adapters.slack import codes
from chalicelib.domain.compliance import Doubt
from chalicelib.domain.history import EventKind, SnoozeEventKind
from chalicelib.domain.snooze import Reason, State
from chalicelib.entrypoints import telemetry
from chalicelib.entrypoints.api import auth, problems
from chalicelib.entrypoints.api.routes import ROUTES, Route
from chalicelib.reports import slack_alert
from chalicelib.usecases.inbox.overview import DeliveryState
from tests.fleet import Service

ROOT = Path(__file__).parents[2]
NOT_OURS = {"node_modules", "build"}
FOLDERS = [each for each in ROOT.iterdir() if each.is_dir() and each.name[0] != "."]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(file for each in FOLDERS if each.name not in NOT_OURS for file in each.rglob("*.md")),
    ]
)
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
API = (ROOT / "docs" / "api.md").read_text()

# `| `NAME` | default | meaning |`
SETTING_ROW = re.compile(r"^\| `([A-Z][A-Z_]+)` \| `?(.+?)`? \| (.+) \|$", re.MULTILINE)
# `| GET | `/v1/findings` | what it does |`
ROUTE_ROW = re.compile(r"^\| ([A-Z]+) \| `(/v1/[^`]+)` \| ", re.MULTILINE)
# `| 404 | Not found | when |`
STATUS_ROW = re.compile(r"^\| (\d{3}) \| ([^|]+) \| ", re.MULTILINE)
METRIC_ROW = re.compile(r"^\| `([a-z_]+)` \| ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")
# A path of this repository in back quotes, such as `docs/operations.md`
PATH = re.compile(r"`((?:chalicelib|devstack|tests|bench|infra|ops|docs)/[\w./-]+)`")

# A test as `tests/unit/test_x.py::test_name`
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def read_settings() -> dict[str, str]:
    """Returns the settings that settings.py reads, with their defaults as the page writes them."""
    defaults = {}
    for call in ast.walk(ast.parse(inspect.getsource(settings))):
        match call:
            case ast.Call(
                ast.Attribute(ast.Name("read"), how), [ast.Constant(str(name)), *others]
            ) if name.isupper():
                match others:
                    case [ast.Constant(default), *_]:
                        defaults[name] = str(default)
                    case _:
                        defaults[name] = "none" if how == "optional" else "required"
    return defaults


def read_section(text: str, heading: str) -> str:
    """Returns a section of a document with its subsections. A missing heading is an error."""
    level = heading.split(maxsplit=1)[0]
    _, begun, rest = text.partition(f"\n{heading}\n")
    assert begun, heading
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def list_quotes(text: str) -> set[str]:
    """Returns everything in back quotes."""
    return set(re.findall(r"`([^`\n]+)`", text))


def list_anchors(text: str) -> set[str]:
    """Returns what `#…` may name: headings in lower case, without punctuation, with hyphens."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def list_fields(kinds: Iterable[Any]) -> Iterator[str]:
    """Yields the names of the fields of structs, and of the structs in them."""
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            for field in msgspec.structs.fields(kind):
                yield field.name
                yield from list_fields([field.type])
        else:
            yield from list_fields(get_args(kind))


def list_links() -> Iterator[tuple[Path, str]]:
    """Yields the documents and the targets of their links, apart from code blocks."""
    for document in DOCUMENTS:
        prose = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
        yield from ((document, found[1] or found[2]) for found in LINK.finditer(prose))


def test_every_setting_is_in_the_table_with_its_default() -> None:
    read = read_settings()
    assert {"FINDINGS_TABLE": "required", "SSM_CONCURRENCY": "8"}.items() <= read.items()
    table = {name: default for name, default, _ in SETTING_ROW.findall(SETTINGS)}
    assert {name: table.get(name) for name in read} == read


def test_every_setting_in_the_table_is_read() -> None:
    table = {name for name, _, _ in SETTING_ROW.findall(SETTINGS)}
    assert table <= read_settings().keys()


def test_exactly_the_metrics_of_the_code_are_documented() -> None:
    source = inspect.getsource(telemetry)
    alone = re.findall(r"add_metric\(\"(\w+)\"", source)
    assert set(METRIC_ROW.findall(read_section(OPERATIONS, "## Metrics"))) == {
        *telemetry.METRICS,
        *alone,
    }


def test_every_field_and_line_of_the_log_is_documented() -> None:
    service = Service()
    service.report("i-1", "A")
    documented = list_quotes(read_section(OPERATIONS, "## Logs"))
    assert telemetry.summarize_scan(service.run(), {}).keys() <= documented
    source = inspect.getsource(telemetry) + inspect.getsource(auth)
    lines = set(re.findall(r"\.(?:info|warning|error)\(\s*\"([^\"]+)\"", source))
    assert {"scan ended", "request failed", "request refused"} <= lines <= documented


def test_exactly_the_routes_of_the_code_are_documented() -> None:
    written = ROUTE_ROW.findall(read_section(API, "## Routes"))
    assert sorted(written) == sorted((route.method, route.path) for route in ROUTES)


def test_every_parameter_of_a_list_is_documented() -> None:
    rows = dict(re.findall(r"^\| GET \| `(/v1/[^`]+)` \| (.+) \|$", API, re.MULTILINE))
    for route in ROUTES:
        if route.method == "GET":
            assert set(route.query.__struct_fields__) <= list_quotes(rows[route.path]), route.path


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_field_of_a_response_is_documented(route: Route) -> None:
    documented = list_quotes(API) | set(re.findall(r"\"(\w+)\":", API))
    fields = set(list_fields(route.answers.values()))
    assert fields <= documented


def test_every_word_of_a_response_is_documented() -> None:
    snooze_kinds = {f"snooze {kind}" for kind in (*SnoozeEventKind, "settled")}
    assert {*EventKind, *snooze_kinds, *State, *Reason, *DeliveryState} <= list_quotes(API)


def test_every_status_of_a_problem_is_explained_with_its_title() -> None:
    written = {int(status): title for status, title in STATUS_ROW.findall(API)}
    assert written == problems.TITLES
    for status in problems.TITLES:
        assert str(status) in read_section(OPERATIONS, "## The API")


def test_every_headline_and_every_doubt_is_explained() -> None:
    explained = read_section(OPERATIONS, "## Messages in Slack")
    for headline in slack_alert._HEADLINES.values():
        assert f"**{headline}**" in explained
    for doubt in Doubt:
        assert f"| {doubt} |" in explained


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        (
            "### Slack",
            {
                *(*codes.MEND, *codes.REFUSED, *codes.PASSING),
                *(*codes.THREAD_GONE, *codes.FILE_REFUSED),
            },
        ),
        ("### S3", set(s3._MEND)),
        # buckets have an adapter with a table of its own
        ("### Other AWS errors", set(errors._FORBIDDEN) - {"NoSuchBucket"}),
    ],
)
def test_every_error_code_says_what_to_do(heading: str, known: set[str]) -> None:
    assert known <= list_quotes(read_section(OPERATIONS, heading))


@pytest.mark.parametrize(
    ("document", "target"),
    [pytest.param(*link, id=f"{link[0].relative_to(ROOT)}: {link[1]}") for link in list_links()],
)
def test_every_link_leads_somewhere(document: Path, target: str) -> None:
    if re.match(r"https?:|mailto:", target):
        return
    name, _, anchor = target.partition("#")
    file = (document.parent / name).resolve() if name else document
    assert file.is_relative_to(ROOT)
    assert file.exists()
    assert not anchor or anchor in list_anchors(file.read_text())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_named_path_exists(document: Path) -> None:
    missing = [path for path in PATH.findall(document.read_text()) if not (ROOT / path).exists()]
    assert missing == []


def test_decisions_are_numbered_without_gaps_and_have_the_same_sections() -> None:
    files = sorted((ROOT / "docs" / "decisions").iterdir())
    numbers = [int(file.name[:4]) for file in files]
    assert numbers == list(range(1, len(files) + 1))
    for number, file in zip(numbers, files, strict=True):
        text = file.read_text()
        assert text.startswith(f"# {number}. ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_named_test_exists(document: Path) -> None:
    for path, name in TEST.findall(document.read_text()):
        assert re.search(rf"^(def |class |){name}\b", (ROOT / path).read_text(), re.MULTILINE), (
            f"{document.name} names {path}::{name}"
        )


def test_every_promise_names_its_test() -> None:
    rows = re.findall(
        r"^\| (?!Promise|---|Suite)(.+) \| (.+) \|$",
        (ROOT / "docs" / "reliability.md").read_text(),
        re.MULTILINE,
    )
    assert len(rows) > 40
    for promise, tests in rows:
        assert "`tests/" in promise + tests or tests == "the same", promise
