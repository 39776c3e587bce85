"""The functions of a stage and the names that Chalice gives them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chalice.config import Config
from chalice.deploy.appgraph import ApplicationGraphBuilder
from chalice.deploy.models import LambdaFunction

from app import app

PROJECT = Path(__file__).parents[3]
API = "api_handler"


def functions(stage: str) -> dict[str, str]:
    """Map Chalice's name of each function to its name in AWS."""
    config = Config(
        chalice_stage=stage,
        user_provided_params={"chalice_app": app, "project_dir": str(PROJECT)},
        config_from_disk=json.loads((PROJECT / ".chalice" / "config.json").read_bytes()),
    )
    graph = ApplicationGraphBuilder().build(config, stage)
    return {
        model.resource_name: model.function_name
        for model in below(graph)
        if isinstance(model, LambdaFunction)
    }


def event_functions(stage: str) -> set[str]:
    """The AWS names of the functions that events invoke."""
    named = functions(stage)
    return {named[source.name] for source in app.event_sources}


def below(model: Any) -> Iterator[Any]:
    """Yield every model below a model of Chalice's plan."""
    for part in model.dependencies():
        yield part
        yield from below(part)
