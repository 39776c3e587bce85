"""Writes spans as HTML, every text of theirs escaped."""

from collections.abc import Iterable
from itertools import groupby

from markupsafe import Markup, escape

from devstack.slack.spans import Span, Style

_SAFE_SCHEMES = ("https://", "http://", "mailto:")

# From the innermost element to the outermost
_ELEMENTS = (
    (Style.CODE, Markup("<code>{}</code>")),
    (Style.PRE, Markup("<pre>{}</pre>")),
    (Style.MENTION, Markup('<span class="mention">{}</span>')),
    (Style.PING, Markup('<span class="ping">{}</span>')),
    (Style.STRIKE, Markup("<s>{}</s>")),
    (Style.ITALIC, Markup("<i>{}</i>")),
    (Style.BOLD, Markup("<b>{}</b>")),
)
_QUOTE = Markup("<blockquote>{}</blockquote>")
_LINK = Markup('<a href="{}" rel="noreferrer">{}</a>')


def to_html(spans: Iterable[Span]) -> Markup:
    """Give HTML in which line breaks are the newlines of the text."""
    pieces = Markup("")
    for quoted, group in groupby(spans, key=lambda span: Style.QUOTE in span.styles):
        inner = Markup("").join(_element(span) for span in group)
        pieces += _QUOTE.format(inner.rstrip("\n")) if quoted else inner
    return pieces


def _element(span: Span) -> Markup:
    html = escape(span.text)
    if span.url is not None and span.url.startswith(_SAFE_SCHEMES):
        html = _LINK.format(span.url, html)
    for style, element in _ELEMENTS:
        if style in span.styles:
            html = element.format(html)
    return html
