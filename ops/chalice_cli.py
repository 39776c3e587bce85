"""Runs Chalice's own commands, and reads and repairs its record of what it deployed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.bytecode import bytecode_in_vendor
from ops.console import CommandError
from ops.controls import controls_in_vendor
from ops.stages import APP, ROOT, Stage

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

CHALICE = Path(sys.executable).with_name("chalice")


def run_packaging(*arguments: str, root: Path = ROOT) -> None:
    """Run a Chalice command that packages the code, with bytecode and texts of controls added."""
    remove_caches(root)
    with bytecode_in_vendor(root), controls_in_vendor(root):
        run(*arguments, root=root)


def run(*arguments: str, root: Path = ROOT) -> None:
    """Run a Chalice command and show its output. Raises `CommandError` if it fails."""
    # Chalice imports the app, and bytecode that this leaves would be packaged
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    sys.stdout.flush()
    completed = subprocess.run(  # noqa: S603 - our own program and arguments
        [CHALICE, *arguments], cwd=root, env=env, check=False
    )
    if completed.returncode:
        raise CommandError(f"chalice {arguments[0]} failed; fix the error above and run this again")


def remove_caches(root: Path = ROOT) -> None:
    """Remove the bytecode caches that Chalice would package with the sources."""
    for cache in [root / "__pycache__", *(root / "chalicelib").rglob("__pycache__")]:
        shutil.rmtree(cache, ignore_errors=True)


def read_deployed(stage: Stage, root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """Read what Chalice recorded of the stage, by resource name. Empty without a record."""
    record = _record_file(stage, root)
    if not record.exists():
        return {}
    resources: list[dict[str, Any]] = json.loads(record.read_bytes())["resources"]
    return {each["name"]: each for each in resources}


def adopt_api(client: "APIGatewayClient", stage: Stage, root: Path = ROOT) -> str | None:
    """Record an API of the stage that Chalice does not know, and return its id.

    Chalice knows an API only from its record, which it writes at the very end.
    After an interrupted deployment, or in a checkout without the record, it
    would create a second API. Returns None if there is nothing to adopt.
    """
    deployed = read_deployed(stage, root)
    if "rest_api" in deployed:
        return None
    found = [api for api in _list_apis(client) if _belongs_to_stage(client, api, stage)]
    if not found:
        return None
    if len(found) > 1:
        raise CommandError(
            f"the stage {stage.name} has {len(found)} APIs ({', '.join(sorted(found))}); delete "
            "the unused ones in the API Gateway console, then run this again"
        )
    entry = {"name": "rest_api", "resource_type": "rest_api", "rest_api_id": found[0]}
    content = {"resources": [*deployed.values(), entry], "schema_version": "2.0", "backend": "api"}
    record = _record_file(stage, root)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(f"{json.dumps(content, indent=2)}\n", encoding="utf-8")
    return found[0]


def _record_file(stage: Stage, root: Path) -> Path:
    return root / ".chalice" / "deployed" / f"{stage.name}.json"


def _list_apis(client: "APIGatewayClient") -> list[str]:
    pages = client.get_paginator("get_rest_apis").paginate()
    return [api["id"] for page in pages for api in page["items"] if api["name"] == APP]


def _belongs_to_stage(client: "APIGatewayClient", api_id: str, stage: Stage) -> bool:
    """Whether a path of the API leads to the function of this stage."""
    pages = client.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"])
    uris = [
        method.get("methodIntegration", {}).get("uri", "")
        for page in pages
        for resource in page["items"]
        for method in resource.get("resourceMethods", {}).values()
    ]
    return any(f":function:{stage.prefix}/" in uri for uri in uris)
