"""The web page: the channel as a person sees it in Slack, with its files to download."""

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
# The page needs only its own styles. A script in a message does not run.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_SAFE_SCHEMES = ("https://", "http://", "mailto:")

# From the innermost element to the outermost.
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


def create_page(workspace: Workspace) -> Blueprint:
    """Build the routes of the page and its files."""
    routes = Blueprint("page", __name__)
    routes.add_app_template_filter(lambda value: render_html(parse_spans(value)), "render_text")
    routes.add_app_template_filter(lambda text: render_html(parse_mrkdwn(text)), "render_mrkdwn")

    @routes.get("/")
    def show_channel() -> Response:
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
    def download_file(file_id: str, name: str) -> Response:
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


def render_html(spans: Iterable[Span]) -> Markup:
    """Return spans as HTML, escaped. Newlines of the text stay newlines."""
    pieces = Markup("")
    for quoted, group in groupby(spans, key=lambda span: Style.QUOTE in span.styles):
        inner = Markup("").join(_render_span(span) for span in group)
        pieces += _QUOTE.format(inner.rstrip("\n")) if quoted else inner
    return pieces


def _render_span(span: Span) -> Markup:
    html = escape(span.text)
    if span.url is not None and span.url.startswith(_SAFE_SCHEMES):
        html = _LINK.format(span.url, html)
    for style, element in _ELEMENTS:
        if style in span.styles:
            html = element.format(html)
    return html
