"""The specification against tools that nobody here wrote, and against the service itself."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.checks import CHECKS, load_all_checks

from chalicelib.entrypoints import openapi, problems
from chalicelib.entrypoints.api_routes import ROUTES
from devstack.api import api_server
from tests.functional.api import TOKENS, served_api
from tests.functional.conftest import Service, service_of

pytestmark = pytest.mark.enable_socket
