"""The page that shows the channel as a person would see it in Slack, and its files."""

from io import BytesIO

from flask import Blueprint, Response, abort, render_template, request, send_file

from devstack.slack.content import spans_of
from devstack.slack.html import to_html
from devstack.slack.mrkdwn import parse_mrkdwn
from devstack.slack.refusal import RefusedError
from devstack.slack.view import post_with_ts, posts_of
from devstack.slack.workspace import Workspace

APP_NAME = "EC2 InSpec Scan"
# The page needs its own styles and nothing else: no script that a message smuggles in runs
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(workspace: Workspace) -> Blueprint:
    """Build the routes of the page."""
    routes = Blueprint("page", __name__)
    routes.add_app_template_filter(lambda value: to_html(spans_of(value)), "shown")
    routes.add_app_template_filter(lambda text: to_html(parse_mrkdwn(text)), "mrkdwn")

    @routes.get("/")
    def channel() -> Response:
        posts = posts_of(workspace.channel.messages())
        only = request.args.get("only")
        if only is not None:
            single = post_with_ts(posts, only)
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
