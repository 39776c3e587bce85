"""One Lambda environment: calls a handler once and prints its response.

`python -m tests.engines.child scan 2026-11-23T08:15:00+00:00` or `… reconcile`.
"""

import io
import json
import sys
from datetime import datetime

from devstack.local_app import Handlers


def main(function: str, executed_at: str = "") -> None:
    handlers = Handlers({}, io.StringIO())
    if function == "scan":
        response = handlers.scan(datetime.fromisoformat(executed_at), {"Success": 1})
    else:
        response = handlers.reconcile()
    sys.stdout.write(json.dumps(response))


if __name__ == "__main__":
    main(*sys.argv[1:])
