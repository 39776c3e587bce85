"""What can go wrong, in the domain's words.

    ServiceError
    ├── BadEvent          an event or a payload is malformed; nothing was changed
    ├── BadSetting        a setting is missing or wrong; nothing was started
    ├── Unavailable       a vendor did not answer; the next scan tries again
    ├── Forbidden         a vendor refuses until a person corrects a policy or a resource
    ├── BadRow            a stored row cannot be read; it must be restored or deleted
    ├── Conflict          another writer was first; read again and decide again
    ├── DeliveryError     an output did not accept a message, which stays pending
    │   ├── MessageRefused    the output will never accept this message
    │   ├── ThreadGone        the thread takes no more replies; the channel may
    │   └── FileRefused       the output takes messages, but not this file
    └── RequestError      a request to the API is refused
        ├── BadRequest        it is malformed: JSON, parameter, cursor
        ├── NotFound          it names something that is not stored
        ├── AlreadySnoozed    the same rule is already active
        ├── Stale             it is for another version than the stored one
        ├── TooLarge          its body exceeds the limit
        └── RuleBroken        it is well formed but breaks a rule

The text of each says what happened, to what, and what to do. `retryable` says
whether the same attempt can succeed later without a person.
"""

from msgspec import Struct


class ServiceError(Exception):
    """The root of the tree. `str(error)` is written for the person who has to act."""

    retryable = False


class BadEvent(ServiceError):
    """An event or a payload is malformed. The text names the field."""


class BadSetting(ServiceError):
    """A setting is missing or wrong. `name` is the environment variable."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"setting {name}: {problem}")
        self.name = name


class Unavailable(ServiceError):
    """A vendor is unreachable, slow or throttling."""

    retryable = True


class Forbidden(ServiceError):
    """A vendor refuses until a person acts: a permission, table, bucket or parameter is missing."""


class BadRow(ServiceError):
    """A stored row that cannot be read; the text names it and what is wrong."""


class Conflict(ServiceError):
    """A conditional write failed because another writer was first."""

    retryable = True


class DeliveryError(ServiceError):
    """An output refused a message or did not answer.

    `code` is the vendor's error code, without secrets and URLs. `hint` says what
    to do; it is empty if waiting is enough.
    """

    def __init__(self, code: str, *, retryable: bool, hint: str = "") -> None:
        super().__init__(f"{code}: {hint}" if hint else code)
        self.code = code
        self.hint = hint
        self.retryable = retryable


class MessageRefused(DeliveryError):
    """The output refused this message because of its form. It may accept a plainer one."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code, retryable=False, hint=hint)


class ThreadGone(DeliveryError):
    """The thread is deleted, locked or takes no replies. The channel may still take them."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code, retryable=False, hint=hint)


class FileRefused(DeliveryError):
    """The output refused the file, not the message. Where the file is can still be said."""

    def __init__(self, code: str, hint: str = "") -> None:
        super().__init__(code, retryable=False, hint=hint)


class FieldFault(Struct, frozen=True):
    """A fault in one field: a JSON pointer or parameter name, a short code, a sentence."""

    pointer: str
    code: str
    message: str


class RequestError(ServiceError):
    """A request to the API is refused, and nothing was written. `faults` name fields."""

    def __init__(self, detail: str, *faults: FieldFault) -> None:
        super().__init__(detail)
        self.faults = faults


class BadRequest(RequestError):
    """The request is malformed: invalid JSON, an unknown parameter, a cursor of another list."""


class NotFound(RequestError):
    """The request names something that is not stored."""


class AlreadySnoozed(RequestError):
    """The same rule is already active. `snooze_id` names it."""

    def __init__(self, snooze_id: str) -> None:
        super().__init__(f"The same rule is already active: snooze {snooze_id}. Change that one.")
        self.snooze_id = snooze_id


class Stale(RequestError):
    """The request is for another version than the stored one."""


class TooLarge(RequestError):
    """The body exceeds the limit."""


class RuleBroken(RequestError):
    """The request is well formed but breaks a rule. `faults` name every broken rule."""
