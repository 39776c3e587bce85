"""Collects what the controls of a profile say, so that the service can tell how to mend a finding.

Packaging does it for `inspec/`. The verb `controls` does it for a profile from elsewhere and puts
the result into the bucket of a stage.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from chalicelib.adapters.s3 import CONTROLS_KEY, MOST_CONTROL_BYTES
from chalicelib.domain.control import ControlText
from ops.aws import explain_errors, find_account
from ops.bytecode import VENDOR
from ops.console import CommandError
from ops.stages import ROOT, read_stage

if TYPE_CHECKING:
    from tree_sitter import Node

PROFILE = ROOT / "inspec"
# Characters of a text. Longer ones are cut: a benchmark's fix may be a chapter.
TEXT = 2_000
_LITERALS = ("string", "chained_string", "heredoc_beginning", "simple_symbol")
# Methods of a text that change only its white space.
_STRIPS = ("strip", "lstrip", "rstrip", "chomp", "squish", "freeze")
_ESCAPES = {"\\n": "\n", "\\t": "\t"}
# How a text begins in which only a quote and a backslash are escaped.
_RAW = ("'", "%q")
_RAW_ESCAPE = re.compile(r"\\(['\\])")


def store_controls(stage_name: str, source: Path) -> str:
    """Put the texts of a profile into the bucket of a stage. Returns what was done, for people."""
    controls = read_controls(source)
    content = encode_controls(controls)
    if len(content) > MOST_CONTROL_BYTES:
        raise CommandError(
            f"the texts of {source} have {len(content):,} bytes, and the service reads at most "
            f"{MOST_CONTROL_BYTES:,}; name a profile with fewer controls"
        )
    stage = read_stage(stage_name)
    bucket = stage.require_setting("REPORTS_BUCKET")
    client = find_account(stage).session.client("s3")
    with explain_errors(f"the bucket {bucket}"):
        client.put_object(
            Bucket=bucket, Key=CONTROLS_KEY, Body=content, ContentType="application/json"
        )
    fixes = sum(bool(each.fix) for each in controls.values())
    return (
        f"s3://{bucket}/{CONTROLS_KEY} has {len(controls)} controls now, {fixes} of them with a "
        "fix. The API reads it within a quarter of an hour."
    )


@contextmanager
def controls_in_vendor(root: Path) -> Iterator[None]:
    """Keep the texts of the checkout's profile in `vendor` inside the block."""
    file = root / VENDOR / CONTROLS_KEY
    file.unlink(missing_ok=True)  # left behind if an earlier run was killed
    if not (root / PROFILE.name / "controls").is_dir():
        # the nodes run a profile from elsewhere
        yield
        return
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(encode_controls(read_controls(root / PROFILE.name)))
    try:
        yield
    finally:
        file.unlink()
        if not any(file.parent.iterdir()):
            file.parent.rmdir()


def encode_controls(controls: Mapping[str, ControlText]) -> bytes:
    """Return the content of the file that the service reads."""
    return msgspec.json.encode(controls, order="deterministic")


def read_controls(source: Path) -> dict[str, ControlText]:
    """Read the folder of a profile, or a file that `inspec json` or `inspec export` wrote.

    Raises `CommandError` if there is no control with a text.
    """
    if not source.exists():
        raise CommandError(f"{source} does not exist; name the folder of a profile, or its JSON")
    controls = _read_folder(source) if source.is_dir() else _read_export(source)
    found = {name: text for name, text in controls.items() if text != ControlText()}
    if not found:
        raise CommandError(
            f"{source} has no control with a description or a fix; name the folder with "
            "inspec.yml, or what `inspec json` wrote of it"
        )
    return found


def _read_export(file: Path) -> dict[str, ControlText]:
    """Read `controls` of an exported profile: a list, or an object by id in older versions."""
    try:
        content: Any = json.loads(file.read_bytes())
        listed = content["controls"]
        pairs = (
            listed.items() if isinstance(listed, dict) else ((each["id"], each) for each in listed)
        )
        return {str(name): _read_exported(each) for name, each in pairs}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CommandError(f"{file} is not a profile as `inspec json` writes it") from error


def _read_exported(control: Mapping[str, Any]) -> ControlText:
    texts = control.get("descriptions") or {}
    if isinstance(texts, list):
        texts = {each["label"]: each["data"] for each in texts}
    description = control.get("desc") or texts.get("default") or ""
    fix = texts.get("fix") or (control.get("tags") or {}).get("fix") or ""
    return ControlText(_fold(str(description)), _fold(str(fix)))


def _read_folder(folder: Path) -> dict[str, ControlText]:
    # only deployments need it
    import tree_sitter_ruby  # noqa: PLC0415
    from tree_sitter import Language, Parser  # noqa: PLC0415

    parser = Parser(Language(tree_sitter_ruby.language()))
    controls: dict[str, ControlText] = {}
    files = (each for each in (folder / "controls").rglob("*.rb") if each.is_file())
    for file in sorted(files):
        try:
            for name, block in _find_controls(parser.parse(file.read_bytes()).root_node):
                # a later block may only change what it names, as the impact
                controls[name] = _read_control(block, controls.get(name, ControlText()))
        except RecursionError as error:
            raise CommandError(f"{file} is nested too deeply to be read") from error
    return controls


def _find_controls(node: "Node") -> Iterator[tuple[str, "Node"]]:
    """Yield every `control 'id' do` with its id, in order."""
    name, arguments = _read_call(node)
    block = node.child_by_field_name("block")
    if name == "control" and arguments and arguments[0] and block:
        yield arguments[0], block
        return
    for child in node.named_children:
        yield from _find_controls(child)


def _read_control(block: "Node", text: ControlText) -> ControlText:
    """Read the calls of `desc`; those with a label have two arguments. `text` is known so far."""
    calls = [child for body in block.named_children for child in body.named_children]
    for name, arguments in map(_read_call, calls):
        match name, arguments:
            case "desc", [description] if description:
                text = replace(text, description=_fold(description))
            case "desc", ["fix", fix] if fix:
                text = replace(text, fix=_fold(fix))
            case _:
                pass
    return text


def _read_call(node: "Node") -> tuple[str, list[str]]:
    """Return the method of a call and its arguments, as far as they are literal texts."""
    method, given = node.child_by_field_name("method"), node.child_by_field_name("arguments")
    if node.type != "call" or method is None or given is None:
        return "", []
    return _text(method), [_read_argument(each) for each in given.named_children]


def _read_argument(node: "Node") -> str:
    """Return a text that is written as it is; empty for one that is computed."""
    receiver = node.child_by_field_name("receiver")
    if node.type == "call" and receiver and receiver.type == "heredoc_beginning":
        method = node.child_by_field_name("method")
        return _read_string(receiver) if method and _text(method) in _STRIPS else ""
    return _read_string(node) if node.type in _LITERALS else ""


def _read_string(node: "Node") -> str:
    """Return a literal text. Of one that is computed, only what is literal."""
    if node.type == "heredoc_beginning":
        return _read_heredoc(node)
    if node.type == "escape_sequence":
        text = _text(node)
        return _ESCAPES.get(text, text.removeprefix("\\"))
    if node.type == "simple_symbol":
        return _text(node).removeprefix(":")
    if node.type in ("string_content", "heredoc_content"):
        return _text(node)
    if node.type in ("interpolation", "heredoc_end"):
        return ""
    text = "".join(map(_read_string, node.named_children))
    # the grammar leaves the escapes of these to the reader
    return _RAW_ESCAPE.sub(r"\1", text) if _text(node).startswith(_RAW) else text


def _read_heredoc(beginning: "Node") -> str:
    """Return the body of a heredoc: the first one that follows."""
    node: Node | None = beginning
    while node is not None:
        sibling = node.next_named_sibling
        while sibling is not None:
            if sibling.type == "heredoc_body":
                return _read_string(sibling)
            sibling = sibling.next_named_sibling
        node = node.parent
    return ""


def _text(node: "Node") -> str:
    return (node.text or b"").decode(errors="replace")


def _fold(text: str) -> str:
    """Return a text in one line."""
    # an export may have halves of a surrogate pair
    folded = " ".join(text.encode(errors="replace").decode().split())
    return folded if len(folded) <= TEXT else f"{folded[: TEXT - 1]}…"
