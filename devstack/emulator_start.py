"""Starts ministack with the two calls that Chalice makes and ministack lacks.

ImportRestApi makes an API of a specification, PutRestApi replaces an API's routes by
another one. ministack has both inside its CloudFormation, and over HTTP takes the first for
CreateRestApi. This runs in the emulator's own environment.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.app import main
from ministack.services import apigateway_v1

_handle = apigateway_v1.handle_request


async def _with_imports(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
) -> Any:
    parts = path.strip("/").split("/")
    if method == "POST" and parts == ["restapis"] and "mode" in query:
        made = apigateway_v1._import_rest_api(json.loads(body))
        status, answer_headers, answer = await _handle("GET", f"/restapis/{made}", headers, b"", {})
        return 201 if status < 300 else status, answer_headers, answer
    if method == "PUT" and len(parts) == 2 and parts[0] == "restapis":
        _overwrite(parts[1], json.loads(body))
        return await _handle("GET", path, headers, b"", {})
    return await _handle(method, path, headers, body, query)


def _overwrite(api_id: str, specification: Mapping[str, Any]) -> None:
    resources = apigateway_v1._resources[api_id]
    root = next(each for each in resources.values() if each["path"] == "/")
    apigateway_v1._resources[api_id] = {root["id"]: {**root, "resourceMethods": {}}}
    apigateway_v1._authorizers_v1[api_id] = {}
    schemes = apigateway_v1._import_security_schemes(api_id, specification)
    for path, item in specification["paths"].items():
        apigateway_v1._import_path_item(api_id, path, item, schemes, specification.get("security"))


if __name__ == "__main__":
    apigateway_v1.handle_request = _with_imports
    main()
