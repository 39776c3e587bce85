"""One rich renderable for each block of a message."""

from collections.abc import Callable

from rich import box
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from devstack.slack.content import spans_of
from devstack.slack.model import Json
from devstack.slack.terminal_text import to_text


def render_block(block: Json) -> RenderableType:
    """Render a block that has passed the checks."""
    render = _RENDERERS.get(block["type"], _text)
    return render(block)


def _text(value: Json) -> Text:
    return to_text(spans_of(value))


def _header(block: Json) -> Text:
    return Text(_text(block["text"]).plain, "bold underline")


def _section(block: Json) -> Group:
    parts: list[RenderableType] = []
    if "text" in block:
        parts.append(_text(block["text"]))
    if "fields" in block:
        grid = Table.grid(padding=(0, 4))
        fields = [_text(field) for field in block["fields"]]
        for left in range(0, len(fields), 2):
            grid.add_row(*fields[left : left + 2])
        parts.append(grid)
    return Group(*parts)


def _context(block: Json) -> Text:
    text = Text("  ").join(_text(element) for element in block["elements"])
    text.stylize_before("dim")
    return text


def _actions(block: Json) -> Text:
    labels = [_text(element["text"]) for element in block["elements"]]
    return Text("  ").join(Text.assemble("[", label, "]") for label in labels)


def _table(block: Json) -> Table:
    header, *rows = [[_text(cell) for cell in row] for row in block["rows"]]
    settings = [each or {} for each in block.get("column_settings", [])]
    table = Table(box=box.ROUNDED)
    for index, title in enumerate(header):
        setting = settings[index] if index < len(settings) else {}
        table.add_column(title, justify=setting.get("align", "left"), overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _divider(_block: Json) -> Rule:
    return Rule(style="dim")


_RENDERERS: dict[str, Callable[[Json], RenderableType]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "table": _table,
    "divider": _divider,
}
