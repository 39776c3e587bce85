"""A session of boto3 that knows the services that are used here, and looks for no other."""

import boto3
import botocore.session
from botocore.loaders import Loader

SERVICES = ("dynamodb", "s3", "ssm")


class OurServices(Loader):
    """botocore's loader of its models, without its look through the folders of all services.

    It lists some 400 of them for each kind of model, only to say whether it knows a
    service: a tenth of a start, and all of it file system.
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - the same for all
        """Those that are used here."""
        return list(SERVICES)


def our_session() -> boto3.Session:
    """A session with the credentials and the region of the environment.

    Its clients and resources are those of `SERVICES`; `UnknownServiceError` for others.
    """
    core = botocore.session.get_session()
    core.register_component("data_loader", OurServices())
    return boto3.Session(botocore_session=core)
