"""Runs Chalice's own commands on a stage, and keeps its record of what it deployed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.bytecode import vendored
from ops.stages import APP, ROOT, Stage
from ops.stop import Stop

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

CHALICE = Path(sys.executable).with_name("chalice")


def make(*arguments: str, root: Path = ROOT) -> None:
    """Run a command of Chalice that packages the code; `Stop` where it fails."""
    clean(root)
    with vendored(root):
        run(*arguments, root=root)


def run(*arguments: str, root: Path = ROOT) -> None:
    """Run a command of Chalice, its output shown; `Stop` where it fails."""
    # what Chalice imports to package the app must not leave bytecode to be packaged
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    sys.stdout.flush()
    ran = subprocess.run(  # noqa: S603 - our own program and arguments
        [CHALICE, *arguments], cwd=root, env=env, check=False
    )
    if ran.returncode:
        raise Stop(
            f"chalice {arguments[0]} failed, see above; mend that and run the same command again"
        )


def clean(root: Path = ROOT) -> None:
    """Remove what Chalice would pack although nobody needs it: bytecode in its own places."""
    for cache in [root / "__pycache__", *(root / "chalicelib").rglob("__pycache__")]:
        shutil.rmtree(cache, ignore_errors=True)


def deployed(stage: Stage, root: Path = ROOT) -> dict[str, dict[str, Any]]:
    """What Chalice recorded of the stage, by the names of the resources; empty before it did."""
    record = _record(stage, root)
    if not record.exists():
        return {}
    resources: list[dict[str, Any]] = json.loads(record.read_bytes())["resources"]
    return {each["name"]: each for each in resources}


def adopt_api(client: "APIGatewayClient", stage: Stage, root: Path = ROOT) -> str | None:
    """Record the stage's API where Chalice did not get to it; the API's id, None where none is new.

    Chalice writes its record when all is done and knows an API from it alone:
    after a deployment that broke off, or from a checkout without the record,
    it would make the API a second time.
    """
    known = deployed(stage, root)
    if "rest_api" in known:
        return None
    found = [api for api in _apis(client) if _serves(client, api, stage)]
    if not found:
        return None
    if len(found) > 1:
        raise Stop(
            f"there are {len(found)} APIs of the stage {stage.name} ({', '.join(sorted(found))}); "
            "delete those that nobody calls in the API Gateway console, then run it again"
        )
    record = _record(stage, root)
    record.parent.mkdir(parents=True, exist_ok=True)
    entry = {"name": "rest_api", "resource_type": "rest_api", "rest_api_id": found[0]}
    whole = {"resources": [*known.values(), entry], "schema_version": "2.0", "backend": "api"}
    record.write_text(f"{json.dumps(whole, indent=2)}\n", encoding="utf-8")
    return found[0]


def _record(stage: Stage, root: Path) -> Path:
    return root / ".chalice" / "deployed" / f"{stage.name}.json"


def _apis(client: "APIGatewayClient") -> list[str]:
    pages = client.get_paginator("get_rest_apis").paginate()
    return [api["id"] for page in pages for api in page["items"] if api["name"] == APP]


def _serves(client: "APIGatewayClient", api_id: str, stage: Stage) -> bool:
    """Whether a path of the API leads to the stage's own function."""
    pages = client.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"])
    uris = [
        method.get("methodIntegration", {}).get("uri", "")
        for page in pages
        for resource in page["items"]
        for method in resource.get("resourceMethods", {}).values()
    ]
    return any(f":function:{stage.prefix}/" in uri for uri in uris)
