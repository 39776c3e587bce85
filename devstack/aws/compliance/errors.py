"""The refusals of SSM Compliance, in the codes and words of the service."""

from moto.ssm.exceptions import SSMException


def refused(code: str, message: str) -> SSMException:
    """Return the error that the service model names `code`."""
    return SSMException(code, message)


def broken(value: object, path: str, constraint: str) -> SSMException:
    """Return the ValidationException for a `value` at `path` that breaks `constraint`."""
    return refused(
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{path}' failed to satisfy "
        f"constraint: {constraint}",
    )
