"""One process that serves the API, as `make up` does: `python -m bench.load.server PORT`.

It ends with its standard input, so it never outlives whoever started it.
"""

import sys

from devstack.local_app import serve_api


def main() -> None:
    """Serve until standard input ends."""
    with serve_api(int(sys.argv[1])):
        sys.stdin.read()


if __name__ == "__main__":
    main()
