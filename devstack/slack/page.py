"""The page that shows the channel as a person would see it in Slack, and its files."""

from collections.abc import Iterable
from io import BytesIO
from itertools import groupby

from flask import Blueprint, Response, abort, render_template, request, send_file
from markupsafe import Markup, escape

from devstack.slack.call import RefusedError
from devstack.slack.markup import parse_mrkdwn, parse_spans
from devstack.slack.spans import Span, Style
from devstack.slack.view import build_posts, find_post
from devstack.slack.workspace import Workspace

APP_NAME = "EC2 InSpec Scan"
# The page needs its own styles and nothing else: no script that a message smuggles in runs
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def create_page(workspace: Workspace) -> Blueprint:
    """Build the routes of the page."""
    routes = Blueprint("page", __name__)
    routes.add_app_template_filter(lambda value: render_html(parse_spans(value)), "shown")
    routes.add_app_template_filter(lambda text: render_html(parse_mrkdwn(text)), "mrkdwn")

    @routes.get("/")
    def channel() -> Response:
        posts = build_posts(workspace.channel.messages)
        only = request.args.get("only")
        if only is not None:
            single = find_post(posts, only)
            posts = (single,) if single else abort(404)
        html = render_template(
            "channel.html",
            app_name=APP_NAME,
            channel_name=workspace.channel.name,
            posts=posts,
            alone=only is not None,
            refresh=request.args.get("refresh", type=int),
        )
        return Response(html, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    @routes.get("/files/<file_id>/<path:name>")
    def download(file_id: str, name: str) -> Response:
        try:
            file = workspace.uploads.find(file_id)
        except RefusedError:
            abort(404)
        if name != file.name:
            abort(404)
        response = send_file(
            BytesIO(file.content), file.mimetype, as_attachment=True, download_name=file.name
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    return routes


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


def render_html(spans: Iterable[Span]) -> Markup:
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
