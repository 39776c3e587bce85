"""Finds the AWS operations that the code calls, in its text."""

import ast
from collections.abc import Iterator
from pathlib import Path

from botocore import xform_name
from botocore.session import Session

CHALICELIB = Path(__file__).parents[2] / "chalicelib"
SERVICES = ("dynamodb", "s3", "ssm")
# Operations behind a method of boto3 with another name.
BEHIND = {
    "upload_fileobj": {
        "s3.AbortMultipartUpload",
        "s3.CompleteMultipartUpload",
        "s3.CreateMultipartUpload",
        "s3.PutObject",
        "s3.UploadPart",
    },
}


def list_operations() -> dict[str, set[str]]:
    """Maps the method name of each operation of our services to `service.Operation`."""
    session = Session()
    found: dict[str, set[str]] = {}
    for service in SERVICES:
        for operation in session.get_service_model(service).operation_names:
            found.setdefault(xform_name(operation), set()).add(f"{service}.{operation}")
    return found


def find_operations_in_code() -> set[str]:
    """Finds every operation that a method or a paginator in chalicelib stands for."""
    methods = list_operations()
    found: set[str] = set()
    for file in [CHALICELIB / "aws.py", *(CHALICELIB / "adapters").rglob("*.py")]:
        for name in _find_names(ast.parse(file.read_text(encoding="utf-8"))):
            found |= methods.get(name, set())
            found |= BEHIND.get(name, set())
    return found


def _find_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(_, "get_paginator"), [ast.Constant(str(name))]):
                yield name
            case ast.Attribute(_, name) | ast.Name(name):
                yield name
