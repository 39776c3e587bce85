"""Pages of lists: the link to the page behind."""

from urllib.parse import urlencode

import msgspec

from chalicelib.entrypoints.api_call import ApiResponse


def paginate(body: msgspec.Struct, query: msgspec.Struct, following: str | None) -> ApiResponse:
    """A page; its link is relative, so that it holds behind any host and stage."""
    if following is None:
        return ApiResponse(body)
    asked = msgspec.to_builtins(query)
    parameters = urlencode({**asked, "cursor": following})
    return ApiResponse(body, headers={"Link": f'<?{parameters}>; rel="next"'})
