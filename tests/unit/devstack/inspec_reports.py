"""Reports in the shapes of InSpec 1 to 5 and of Chef Automate, made at random, and their counts."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

LIMIT = 500  # characters of a title
LONGEST_CODE_DESC = 19_689
TITLES = (
    "The SSH daemon must refuse root",
    "Each account must\nhave its own UID\n",
    "The “wheel” group’s members – and only they – may use sudo",  # noqa: RUF001
    'The option "PermitRootLogin" must be "no"',
    "Les clés d’hôte appartiennent à root",  # noqa: RUF001
    "監査ログを保存する",
    "=SUM(A1) is no formula here",
    "",
    None,
)
CODE_DESCS = (
    "File /etc/shadow is expected to exist",
    'File /etc/shadow mode is expected to cmp == "0640"',
    "Parse Config  permitrootlogin is expected to eq “no”",
    "Command: `sshd -T` stdout\nis expected not to match /\\\\bno\\\\b/",
    "User root is expected to be in group 'wheel'",
    "",
    None,
)
IMPACTS = (0, 0.0, 0.3, 0.39, 0.4, 0.5, 0.69, 0.7, 0.9, 1, 1.0)
STATUSES = ("passed", "failed", "failed", "skipped")


@dataclass(frozen=True)
class Counts:
    """What a report holds. `titles` counts the different titles of its failed results."""

    passed: int
    failed: int
    titles: int
    too_long: int


def count_results(content: bytes, longest: int = LIMIT) -> Counts:
    """Count the results of a report. Titles are compared by their first characters."""
    numbers = {"passed": 0, "failed": 0, "skipped": 0}
    titles, too_long = set(), 0
    for profile in json.loads(content)["profiles"]:
        for control in profile.get("controls") or ():
            for result in control.get("results") or ():
                numbers[result["status"]] += 1
                if result["status"] == "skipped":
                    continue
                title = " : ".join((control["title"] or "", result["code_desc"] or ""))
                too_long += len(title) > longest
                if result["status"] == "failed":
                    titles.add(title[:longest])
    return Counts(numbers["passed"], numbers["failed"], len(titles), too_long)


def make_report(shape: str, seed: int) -> bytes:
    """Make a report in the shape of this name. The same seed makes the same report."""
    random = Random(f"{shape} {seed}")  # noqa: S311 - for tests
    report = SHAPES[shape](random)
    indent = random.choice((None, None, 2))
    return json.dumps(report, ensure_ascii=random.random() < 0.5, indent=indent).encode()


def _make_result(random: Random) -> Json:
    status = random.choice(STATUSES)
    code_desc = random.choice(CODE_DESCS)
    if random.random() < 0.01:
        code_desc = "x" * random.choice((LIMIT - 3, LIMIT, LONGEST_CODE_DESC))
    result: Json = {"status": status, "code_desc": code_desc, "run_time": random.random()}
    if status == "skipped":
        result["skip_message"] = "The file is absent."
    if status == "failed":
        result["message"] = "\nexpected: no\n     got: yes\n"
    return result


def _make_control(random: Random, number: int) -> Json:
    return {
        "id": random.choice((f"V-{number}", f"xccdf_org.x_rule_{number}", f"(anonymous-{number})")),
        "title": random.choice(TITLES),
        "desc": random.choice(("Why it matters.\n", None)),
        "impact": random.choice(IMPACTS),
        "refs": [],
        "tags": random.choice(({}, {"nist": ["AC-6"], "cci": None})),
        "code": "control 'x' do\n  impact 0.5\nend\n",
        "source_location": {"ref": "controls/a.rb", "line": number},
        "results": [_make_result(random) for _ in range(random.choice((0, 1, 1, 2, 5)))],
    }


def _make_controls(random: Random) -> list[Json]:
    return [_make_control(random, number) for number in range(random.randrange(1, 12))]


def _make_profile(random: Random, **more: Any) -> Json:
    profile = {
        "name": "linux-baseline",
        "version": "2.0.2",
        "title": "Linux “Baseline”",
        "supports": [],
        "groups": [{"id": "controls/a.rb", "controls": ["V-1"]}],
        "attributes": [],
        "controls": _make_controls(random),
    }
    return profile | more


def _wrap(version: str, *profiles: Json, **more: Any) -> Json:
    platform = {"name": "ubuntu", "release": "22.04"}
    statistics = {"duration": 0.5}
    return {
        "platform": platform,
        "profiles": list(profiles),
        "statistics": statistics,
        "version": version,
    } | more


def _make_version_1(random: Random) -> Json:
    """InSpec 1 repeats all results at the top, and its profiles have no status."""
    profile = _make_profile(random)
    results = [result for control in profile["controls"] for result in control["results"]]
    return _wrap("1.37.6", profile, controls=results, other_checks=[])


def _make_version_2(random: Random) -> Json:
    """InSpec 2 leaves out what is null, such as `results`."""
    profile = _make_profile(random)
    for control in profile["controls"]:
        if not control["results"]:
            del control["results"]
    return _wrap("2.3.28", profile)


def _make_version_3(random: Random) -> Json:
    """InSpec 3 says why a profile was skipped in `skip_message` alone."""
    skipped = _make_profile(random, name="windows", status="skipped", skip_message="No Windows.")
    return _wrap("3.9.3", _make_profile(random, status="loaded"), skipped | {"controls": []})


def _make_version_4(random: Random) -> Json:
    """InSpec 4 adds descriptions, dependencies and waivers."""
    profile = _make_profile(random, status="loaded", depends=[{"name": "a", "status": "loaded"}])
    for control in profile["controls"]:
        control |= {"descriptions": [{"label": "check", "data": "Look."}], "waiver_data": {}}
    return _wrap("4.56.61", profile)


def _make_version_5(random: Random) -> Json:
    """InSpec 5 adds resources, exceptions and backtraces."""
    profile = _make_profile(random, status="loaded", status_message="")
    for control in profile["controls"]:
        for result in control["results"]:
            result |= {"resource_class": "file", "resource_params": '["/etc/shadow"]'}
            result |= {"exception": "NoMethodError", "backtrace": ["a.rb:1"]}
    return _wrap("5.24.24", profile)


def _make_overlay(random: Random) -> Json:
    """An overlay repeats the controls of its base. Only one of the two has results."""
    base = _make_profile(random, parent_profile="overlay", status="loaded")
    controls = [control | {"results": []} for control in base["controls"]]
    overlay = _make_profile(random, name="overlay", depends=[{"name": "base"}])
    return _wrap("4.10.4", overlay | {"controls": controls}, base)


def _make_skipped(random: Random) -> Json:
    """Nothing ran: each profile was skipped or has nothing but skipped results."""
    profile = _make_profile(random, status="loaded")
    for control in profile["controls"]:
        control["results"] = [{"status": "skipped", "code_desc": "x", "skip_message": "y"}]
    skipped = {"name": "b", "status": "skipped", "status_message": "No.", "controls": []}
    return _wrap("5.22.40", profile, skipped)


def _make_automate(random: Random) -> Json:
    """The json-automate reporter merges children into their parents and adds facts of the node."""
    return _wrap("4.56.61", _make_profile(random), node_name="web", roles=[], passthrough=None)


SHAPES: Mapping[str, Callable[[Random], Json]] = {
    "InSpec 1": _make_version_1,
    "InSpec 2": _make_version_2,
    "InSpec 3": _make_version_3,
    "InSpec 4": _make_version_4,
    "InSpec 5": _make_version_5,
    "overlay": _make_overlay,
    "skipped": _make_skipped,
    "json-automate": _make_automate,
}


def reduce_for_automate(content: bytes) -> bytes:
    """Drop from a report what Chef Automate already knows of its profiles."""
    report = json.loads(content)
    for profile in report["profiles"]:
        for key in ("name", "supports", "groups"):
            profile.pop(key, None)
        profile["controls"] = [
            {"id": control["id"], "results": control.get("results", [])}
            for control in profile["controls"]
        ]
    return json.dumps(report | {"run_time_limit": 1.0}).encode()
