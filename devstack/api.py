"""Serves the API of app.py on this machine, through Chalice's own local gateway."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalChalice, LocalDevServer, create_local_server

from devstack.serving import HOST, POLL_INTERVAL

# Seconds that Lambda gives an API call, as .chalice/config.json says.
API_TIMEOUT = 60


class _SilentHandler(ChaliceRequestHandler):
    # head and body are two writes: on a kept connection the second would wait 40 ms for the first
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Keep requests out of the terminal: a title may stand in a query."""


@contextmanager
def api_server(port: int = 0) -> Iterator[str]:
    """Serve on `port`, on a free one when it is 0; yields the URL, without a slash at its end.

    The settings must stand in the environment before. OSError when the port is taken.
    """
    # app.py reads three settings at import
    import app  # noqa: PLC0415

    config = Config.create(lambda_timeout=API_TIMEOUT)
    if not isinstance(app.app, LocalChalice):
        create_local_server(app.app, config, HOST, 0).server.server_close()
    local = LocalDevServer(app.app, config, HOST, port, handler_cls=_SilentHandler)
    server = local.server
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(POLL_INTERVAL,), daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
