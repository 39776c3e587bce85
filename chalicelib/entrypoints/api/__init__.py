"""The REST API: routes, requests, responses, authorization."""
