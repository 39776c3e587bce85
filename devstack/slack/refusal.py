"""The one way a method says no: HTTP 200, `ok: false` and an error code."""

from devstack.slack.model import Json


class RefusedError(Exception):
    """Slack refuses a call.

    `error` is the code of the method's reference page; `problems` say what is wrong in the
    arguments, in Slack's words and without its `[ERROR]` prefix.
    """

    def __init__(self, error: str, *problems: str) -> None:
        super().__init__(error)
        self.error = error
        self.problems = problems

    def body(self) -> Json:
        """Give the JSON that Slack answers; the bare `errors` come with bad blocks only."""
        answer: Json = {"ok": False, "error": self.error}
        if self.problems:
            messages = [f"[ERROR] {problem}" for problem in self.problems]
            answer["response_metadata"] = {"messages": messages}
        if self.problems and self.error == "invalid_blocks":
            answer["errors"] = list(self.problems)
        return answer
