"""Shows the specification of the API in a browser, and passes on the calls that are tried there.

The API has CORS off, so the page and what it calls have to come from one address:
this server. Everything the page needs is in the package; nothing comes from elsewhere.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from http.client import HTTPConnection
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_swagger_ui import get_swaggerui_blueprint  # type: ignore[import-untyped]
from werkzeug.serving import WSGIRequestHandler

from devstack.serving import serve_wsgi

TITLE = "ec2-inspec-scan: the API of this machine"
# The page comes with styles and a script of its own in its text, and pictures as data: URLs.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
SENT_ON = ("Accept", "Authorization", "Content-Type", "If-Match")
NOT_SENT_BACK = {"connection", "content-length", "date", "server", "transfer-encoding"}
# Seconds; the API itself gives up after a minute.
PATIENCE = 70


class _SilentHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep requests out of the terminal: a title may stand in a query."""


@contextmanager
def serve_viewer(api_url: str, port: int = 0) -> Iterator[str]:
    """Serve the viewer of the API at `api_url` on `port`, 0 for a free one; yields its URL.

    Raises OSError when the port is taken.
    """
    with serve_wsgi(create_app(api_url), port, _SilentHandler) as url:
        yield f"{url}/"


def create_app(api_url: str) -> Flask:
    """Build the WSGI application: the page, and everything else as the API answers it."""
    app = Flask(__name__)
    settings = {
        "app_name": TITLE,
        "layout": "BaseLayout",  # without a bar that loads other specifications
        "validatorUrl": None,  # without a validator on the internet
        "displayRequestDuration": True,
    }
    app.register_blueprint(get_swaggerui_blueprint("", "/openapi.json", settings))

    @app.get("/openapi.json")
    @app.get("/healthz")
    @app.route("/v1/<path:_rest>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    def passed_on(_rest: str = "") -> Response:
        return _answer_of(api_url)

    @app.after_request
    def locked(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    return app


def _answer_of(api_url: str) -> Response:
    """What the API answers to the request at hand, path and query exactly as they came."""
    headers = {name: request.headers[name] for name in SENT_ON if name in request.headers}
    target = request.environ["REQUEST_URI"]
    with _line(api_url) as line:
        line.request(request.method, target, request.get_data() or None, headers)
        answer = line.getresponse()
        kept = [pair for pair in answer.getheaders() if pair[0].lower() not in NOT_SENT_BACK]
        return Response(answer.read(), answer.status, kept)


def _line(api_url: str) -> AbstractContextManager[HTTPConnection]:
    address = urlsplit(api_url)
    return closing(HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE))
