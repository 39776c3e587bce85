"""Parameter Store: reads the secrets that settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.utilities.parameters import GetParameterError, SSMProvider

from chalicelib.aws.errors import translate_errors

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

# Seconds: a secret that was changed is known after this time at the latest
MAX_AGE: Final = 300


class ParameterSecrets:
    """SecureString parameters, decrypted and remembered for `max_age` seconds."""

    def __init__(self, client: SSMClient, max_age: int = MAX_AGE) -> None:
        self._provider = SSMProvider(boto3_client=client)
        self._max_age = max_age

    def read(self, name: str, setting: str, *, fresh: bool = False) -> str:
        """The value of the parameter `name`; `fresh` asks SSM whatever is remembered.

        `setting` is the one that holds the name, so that errors say what to mend.
        """
        with translate_errors("SSM", f"the parameter {name} of {setting}"):
            try:
                value = self._provider.get(
                    name, max_age=self._max_age, decrypt=True, force_fetch=fresh
                )
            except GetParameterError as error:
                # powertools turns every error into this one and leaves the first as its context
                raise error.__context__ or error from None
        return str(value)
