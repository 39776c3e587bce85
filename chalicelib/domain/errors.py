"""What can go wrong, in the domain's words.

    ServiceError
    ├── BadEvent          an event or a payload has a wrong shape; nothing was changed
    ├── BadSetting        a setting is missing or wrong; nothing was started
    ├── Unavailable       a vendor did not answer; the next pass tries again
    ├── Forbidden         a vendor refuses us until somebody mends a policy or a resource
    ├── Conflict          somebody else wrote first; read again and decide again
    ├── DeliveryError     an output did not take a message; it stays pending
    │   └── MessageRefused    the output will never take this very message
    └── RequestError      a request to the API cannot be answered as asked
        ├── BadRequest        its form is wrong: JSON, parameter, cursor
        ├── NotFound          what it names is not there
        ├── AlreadySnoozed    the same rule is active already
        ├── Stale             it was made for another version than the stored one
        ├── TooLarge          its body is larger than we read
        └── RuleBroken        its form is right, what it asks for breaks a rule

Each carries what happened, to what, and what to do. `retryable` says whether
trying the same thing again later can help without a person.
"""

from dataclasses import dataclass


class ServiceError(Exception):
    """Root of the tree; `str(error)` is written for the person who has to act."""

    retryable = False


class BadEvent(ServiceError):
    """An event or a payload that cannot be understood; the text names the field."""


class BadSetting(ServiceError):
    """A setting that is missing or wrong; `name` is the environment variable."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"setting {name}: {problem}")
        self.name = name


class Unavailable(ServiceError):
    """A vendor is out of reach, slow or throttling."""

    retryable = True


class Forbidden(ServiceError):
    """A vendor refuses for good: a missing permission, table, bucket or parameter."""


class Conflict(ServiceError):
    """A conditional write lost against another writer."""

    retryable = True


class DeliveryError(ServiceError):
    """An output refused or did not answer.

    `code` is the vendor's short word for it (no secret, no URL), `hint` names
    what to mend and is empty where waiting is enough.
    """

    def __init__(self, code: str, *, retryable: bool, hint: str = "") -> None:
        super().__init__(f"{code}: {hint}" if hint else code)
        self.code = code
        self.hint = hint
        self.retryable = retryable


class MessageRefused(DeliveryError):
    """The form of this very message was refused; a plainer form may pass."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code, retryable=False, hint=hint)


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field: a JSON pointer or a parameter, a short code, a sentence."""

    pointer: str
    code: str
    message: str


class RequestError(ServiceError):
    """A request to the API that cannot be answered as asked; nothing was written."""

    def __init__(self, detail: str, *faults: FieldFault) -> None:
        super().__init__(detail)
        self.faults = faults


class BadRequest(RequestError):
    """The form is wrong: malformed JSON, an unknown parameter, a cursor of another list."""


class NotFound(RequestError):
    """What the request names is not stored."""


class AlreadySnoozed(RequestError):
    """The same rule is active already; `snooze_id` names it."""

    def __init__(self, snooze_id: str) -> None:
        super().__init__(f"The same rule is active already: snooze {snooze_id}. Change that one.")
        self.snooze_id = snooze_id


class Stale(RequestError):
    """The request was made for another version than the stored one."""


class TooLarge(RequestError):
    """The body is larger than we read."""


class RuleBroken(RequestError):
    """The form is right, but what is asked for breaks a rule; every broken rule is named."""
