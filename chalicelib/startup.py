"""Shortens cold starts. The only place for such tricks.

docs/decisions/0030-startup-tricks-in-one-place.md has the measurement.
"""

import gc
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import boto3

# Container objects allocated until the cyclic garbage collector runs; Python's default is 700.
# What boto3 loads stays for good, and looking through it again and again takes time. Reference
# counting frees most memory all the same; `make bench` checks the peak.
COLLECTOR_THRESHOLD = 50_000
SERVICES = ("dynamodb", "s3", "ssm")


def defer_collector() -> None:
    """Runs the garbage collector less often. Must be called before anything large is imported."""
    gc.set_threshold(COLLECTOR_THRESHOLD)


def open_session() -> "boto3.Session":
    """Opens a session with the environment's credentials and region.

    botocore lists the folders of some 400 services to find out whether it knows
    one. This session knows only `SERVICES`; other clients raise
    `UnknownServiceError`.
    """
    # the collector must be deferred before these are imported
    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415
    from botocore.loaders import Loader  # noqa: PLC0415

    class KnownServices(Loader):
        def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - same for all
            return list(SERVICES)

    core = botocore.session.get_session()
    core.register_component("data_loader", KnownServices())
    return boto3.Session(botocore_session=core)


def needs_routes(handlers: Iterable[str], env: Mapping[str, str]) -> bool:
    """Whether this process may be asked for a route of the API.

    `handlers` are those of the functions that get no requests. Lambda names the
    handler that it starts in `_HANDLER`. Every other process, such as the
    deployment, needs all routes. An unknown handler costs time, never a route.
    """
    return env.get("_HANDLER") not in set(handlers)
