"""The operations of AWS that the code names, found in its text."""

import ast
from collections.abc import Iterator
from pathlib import Path

from botocore import xform_name
from botocore.session import Session

CHALICELIB = Path(__file__).parents[2] / "chalicelib"
SERVICES = ("dynamodb", "s3", "ssm")
# Operations behind a library's own words.
BEHIND = {
    "SSMProvider": {"ssm.GetParameter"},
    "upload_fileobj": {
        "s3.AbortMultipartUpload",
        "s3.CompleteMultipartUpload",
        "s3.CreateMultipartUpload",
        "s3.PutObject",
        "s3.UploadPart",
    },
}


def known() -> dict[str, set[str]]:
    """The method name of every operation of our services, to `service.Operation`."""
    session = Session()
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        for operation in session.get_service_model(service).operation_names:
            found.setdefault(xform_name(operation), set()).add(f"{service}.{operation}")
    return found


def named_in_code() -> set[str]:
    """Every operation that a method, a paginator or a library's class in chalicelib stands for."""
    methods = known()
    found: set[str] = set()
    for folder in ("adapters", "aws"):
        for file in sorted((CHALICELIB / folder).rglob("*.py")):
            for name in _names(ast.parse(file.read_text(encoding="utf-8"))):
                found |= methods.get(name, set())
                found |= BEHIND.get(name, set())
    return found


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(_, "get_paginator"), [ast.Constant(str(name))]):
                yield name
            case ast.Attribute(_, name) | ast.Name(name):
                yield name
