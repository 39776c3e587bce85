"""The engines of the contract suite as fixtures."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from devstack.aws.session import make_session
from tests.contract.stores import (
    LOCAL,
    MOTO,
    Stores,
    Tables,
    build_memory_stores,
    build_stores,
    create_empty_tables,
)

if TYPE_CHECKING:
    import boto3


@pytest.fixture(scope="session")
def aws_session() -> "boto3.Session":
    return make_session()


@pytest.fixture(params=["memory", MOTO, LOCAL])
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    if request.param == "memory":
        yield build_memory_stores()
        return
    with open_tables(request) as tables:
        yield build_stores(tables)


@pytest.fixture(params=[MOTO, LOCAL])
def tables(request: pytest.FixtureRequest) -> Iterator[Tables]:
    with open_tables(request) as tables:
        yield tables


def open_tables(request: pytest.FixtureRequest) -> AbstractContextManager[Tables]:
    """Creates the tables in the engine that the parameter names."""
    url = None if request.param == "moto" else request.getfixturevalue("dynamodb_url")
    return create_empty_tables(request.getfixturevalue("aws_session"), url)
