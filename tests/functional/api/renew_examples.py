"""Renews the examples of the specification: `python -m tests.functional.api.renew_examples`.

Only bodies are written by hand. Then read the diff.
"""

import json
from pathlib import Path

from chalicelib.entrypoints.api import schemas
from devstack.environment import isolate
from tests.functional.api import example_state
from tests.functional.api.client import open_api
from tests.functional.service import run_service

PATH = Path(schemas.__file__).with_name("examples.json")


def main() -> None:
    """Replaces every example but those of bodies by what the service sends now."""
    isolate()
    with run_service() as service, open_api(service) as api:
        examples = example_state.produce(service, api)
    PATH.write_text(json.dumps(examples, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
