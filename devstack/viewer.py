"""A web page with the specification of the API, on which a person can try its calls.

The API does not allow CORS, so this server also forwards the calls: the page and the API then
have the same address. The package contains everything that the page loads.
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
HEAD = '<head>\n  <meta name="viewport" content="width=device-width, initial-scale=1">'
# The page has inline styles, an inline script, and pictures as data: URLs.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
FORWARDED = ("Accept", "Authorization", "Content-Type", "If-Match")
NOT_RETURNED = {"connection", "content-length", "date", "server", "transfer-encoding"}
# Seconds. The API itself times out after 60.
TIMEOUT = 70


class _SilentHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Print no request: its query may contain the title of a finding."""


@contextmanager
def serve_viewer(api_url: str, port: int = 0) -> Iterator[str]:
    """Serve the page for the API at `api_url`, on `port` or on a free port if it is 0.

    Yields the URL of the page. Raises OSError if the port is taken.
    """
    with serve_wsgi(create_app(api_url), port, _SilentHandler) as url:
        yield f"{url}/"


def create_app(api_url: str) -> Flask:
    """Build the WSGI application: the page, and the forwarded calls of the API."""
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
    def forward(_rest: str = "") -> Response:
        return _forward(api_url)

    @app.after_request
    def add_viewport(response: Response) -> Response:
        # flask-swagger-ui's page has none, so a phone would show a desktop page in small
        if response.mimetype == "text/html" and not response.direct_passthrough:
            response.set_data(response.get_data(as_text=True).replace("<head>", HEAD, 1))
        return response

    @app.after_request
    def add_policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    return app


def _forward(api_url: str) -> Response:
    """Forward the present request, with its path and query unchanged."""
    headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
    target = request.environ["REQUEST_URI"]
    with _connect(api_url) as connection:
        connection.request(request.method, target, request.get_data() or None, headers)
        response = connection.getresponse()
        kept = [pair for pair in response.getheaders() if pair[0].lower() not in NOT_RETURNED]
        return Response(response.read(), response.status, kept)


def _connect(api_url: str) -> AbstractContextManager[HTTPConnection]:
    address = urlsplit(api_url)
    return closing(HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT))
