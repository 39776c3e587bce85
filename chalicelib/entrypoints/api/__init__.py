"""The REST API: routes, request and response types, authorization."""
