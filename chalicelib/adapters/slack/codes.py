"""Slack's error codes: what each needs, and from whom.

Sources: chat.postMessage, files.getUploadURLExternal and files.completeUploadExternal
under docs.slack.dev/reference/methods.
"""

from typing import Final

_TOKEN = "put the app's bot token into the parameter that SLACK_TOKEN_PARAMETER names"  # noqa: S105 - advice
_SCOPE = (
    "give the Slack app the scopes chat:write and files:write, install it again and put its bot "
    "token into the parameter that SLACK_TOKEN_PARAMETER names"
)
_CHANNEL = "set SLACK_CHANNEL to the ID of a channel, and invite the bot if it is private"
_INVITE = "invite the bot into the channel of SLACK_CHANNEL"
_ARCHIVED = "unarchive the channel of SLACK_CHANNEL, or set SLACK_CHANNEL to another one's ID"
_PERMIT = "allow apps to post in the channel of SLACK_CHANNEL (posting permissions)"
_ADMIN = "ask the Slack workspace's admins to approve this app"
_FILES = "ask the Slack workspace's admins to allow file uploads of this size"
UNKNOWN: Final = "look up the code under docs.slack.dev/reference/methods"
# Our own code for an answer that cannot be understood.
UNREADABLE: Final = "unreadable_answer"
ADDRESS: Final = "check SLACK_BASE_URL and any proxy in between"

# A new token, or new scopes of the token, help.
TOKEN_CODES: Final = {
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "account_inactive": _TOKEN,
    "not_allowed_token_type": _TOKEN,
    "missing_scope": _SCOPE,
    "no_permission": _SCOPE,
}
# Waiting does not help; the hint does.
MEND: Final = TOKEN_CODES | {
    "channel_not_found": _CHANNEL,
    "invalid_channel": _CHANNEL,
    "not_in_channel": _INVITE,
    "is_archived": _ARCHIVED,
    "restricted_action": _PERMIT,
    "restricted_action_read_only_channel": _PERMIT,
    "restricted_action_thread_only_channel": _PERMIT,
    "restricted_action_non_threadable_channel": _PERMIT,
    "posting_to_channel_denied": _PERMIT,
    "posting_to_general_channel_denied": _PERMIT,
    "access_denied": _ADMIN,
    "accesslimited": _ADMIN,
    "ekm_access_denied": _ADMIN,
    "enterprise_is_restricted": _ADMIN,
    "two_factor_setup_required": _ADMIN,
    "file_uploads_disabled": _FILES,
    "file_upload_size_restricted": _FILES,
    "storage_limit_reached": _FILES,
}
# The form of the message is refused. A plainer one may be accepted.
REFUSED: Final = {
    "invalid_arguments",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "json_not_object",
    "invalid_json",
    "markdown_text_conflict",
    "missing_argument",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "too_many_attachments",
}
# Waiting is enough.
PASSING: Final = {
    "fatal_error",
    "file_not_found",
    "file_update_failed",
    "internal_error",
    "message_limit_exceeded",
    "org_login_required",
    "rate_limited",
    "ratelimited",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
}
