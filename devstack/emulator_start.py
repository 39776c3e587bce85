"""Starts ministack with two calls that Chalice needs and ministack lacks.

ImportRestApi creates an API from a specification. PutRestApi replaces the routes of an API.
ministack has both only inside its CloudFormation, and over HTTP mistakes the first for
CreateRestApi. This program runs in the emulator's virtual environment.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.app import main
from ministack.services import apigateway_v1

_handle = apigateway_v1.handle_request


async def _handle_request(
    method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, list[str]]
) -> Any:
    parts = path.strip("/").split("/")
    if method == "POST" and parts == ["restapis"] and "mode" in query:
        api_id = apigateway_v1._import_rest_api(json.loads(body))
        path = f"/restapis/{api_id}"
        status, response_headers, response = await _handle("GET", path, headers, b"", {})
        return 201 if status < 300 else status, response_headers, response
    if method == "PUT" and len(parts) == 2 and parts[0] == "restapis":
        _replace_routes(parts[1], json.loads(body))
        return await _handle("GET", path, headers, b"", {})
    return await _handle(method, path, headers, body, query)


def _replace_routes(api_id: str, specification: Mapping[str, Any]) -> None:
    resources = apigateway_v1._resources[api_id]
    root = next(each for each in resources.values() if each["path"] == "/")
    apigateway_v1._resources[api_id] = {root["id"]: {**root, "resourceMethods": {}}}
    apigateway_v1._authorizers_v1[api_id] = {}
    schemes = apigateway_v1._import_security_schemes(api_id, specification)
    for path, item in specification["paths"].items():
        apigateway_v1._import_path_item(api_id, path, item, schemes, specification.get("security"))


if __name__ == "__main__":
    apigateway_v1.handle_request = _handle_request
    main()
