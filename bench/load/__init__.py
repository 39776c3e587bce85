"""Load on the API: locust asks a served API, one kind of request after the other."""
