"""Slack's error codes: what each needs, and from whom.

Sources: chat.postMessage, files.getUploadURLExternal and files.completeUploadExternal
under docs.slack.dev/reference/methods. `message_not_found`, `thread_not_found` and some
codes of files are documented for their sister methods only.
"""

from typing import Final

from chalicelib.domain.errors import DeliveryError, FileRefused, MessageRefused, ThreadGone

_TOKEN = "put the app's bot token into the parameter that SLACK_TOKEN_PARAMETER names"  # noqa: S105 - advice
_SCOPE = (
    "give the Slack app the scopes chat:write and files:write, install it again and put its bot "
    "token into the parameter that SLACK_TOKEN_PARAMETER names"
)
_GRANT = (
    "the token is of an org-wide installation, which does not cover this workspace: ask the "
    "organization's admins to grant the app to the workspace"
)
_CHANNEL = "set SLACK_CHANNEL to the ID of a channel, and invite the bot if it is private"
_INVITE = "invite the bot into the channel of SLACK_CHANNEL"
_ARCHIVED = "unarchive the channel of SLACK_CHANNEL, or set SLACK_CHANNEL to another one's ID"
_PERMIT = "allow apps to post in the channel of SLACK_CHANNEL (posting permissions)"
_TAB = (
    "SLACK_CHANNEL is a direct message with an app whose Messages tab is off: set SLACK_CHANNEL to "
    "the ID of a channel"
)
_ADMIN = "ask the Slack workspace's admins to approve this app"
_CALL = (
    "check SLACK_BASE_URL and any proxy in between, which may drop or change arguments, and the "
    "version of slack_sdk"
)
_FILES = "ask the Slack workspace's admins to allow file uploads of this size"
_TYPE = "ask the Slack workspace's admins to allow CSV files"
_STORAGE = "ask the Slack workspace's admins to free storage for files"
_SHARED = (
    "ask the Slack workspace's admins to allow files in Slack Connect, or set SLACK_CHANNEL to a "
    "channel that is not shared with other organizations"
)
_MALWARE = "Slack takes the file for malware: ask the Slack workspace's admins"
_THREAD = "the thread is deleted, locked or takes no replies"
UNKNOWN: Final = "look up the code under docs.slack.dev/reference/methods"
# Our own code for an answer that cannot be understood.
UNREADABLE: Final = "unreadable_answer"
ADDRESS: Final = "check SLACK_BASE_URL and any proxy in between"

# A new token, or new rights of the token, help.
TOKEN_CODES: Final = {
    "invalid_auth": _TOKEN,
    "not_authed": _TOKEN,
    "token_revoked": _TOKEN,
    "token_expired": _TOKEN,
    "account_inactive": _TOKEN,
    "not_allowed_token_type": _TOKEN,
    "missing_scope": _SCOPE,
    "no_permission": _SCOPE,
    "team_access_not_granted": _GRANT,
}
# Slack objects to the call, which we make alike for every message. Most of these codes are about
# arguments that we never send.
_CALL_CODES = (
    "agent_prompt_display_not_allowed",
    "alt_txt_too_large",
    "as_user_not_supported",
    "channels_limit_exceeded",
    "deprecated_endpoint",
    "draft_already_deleted",
    "draft_already_sent",
    "draft_has_conflict",
    "draft_not_found",
    "duplicate_channel_not_found",
    "duplicate_message_not_found",
    "invalid_arg_name",
    "invalid_array_arg",
    "invalid_charset",
    "invalid_form_data",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "invalid_post_type",
    "metadata_must_be_sent_from_app",
    "metadata_too_large",
    "method_deprecated",
    "missing_argument",
    "missing_post_type",
    "send_on_behalf_not_allowed",
    "snippet_too_large",
    "unknown_snippet_type",
    "unknown_subtype",
)
# Waiting does not help; the hint does.
MEND: Final = (
    TOKEN_CODES
    | dict.fromkeys(_CALL_CODES, _CALL)
    | {
        "channel_not_found": _CHANNEL,
        "invalid_channel": _CHANNEL,
        "team_not_found": _CHANNEL,
        "not_in_channel": _INVITE,
        "is_archived": _ARCHIVED,
        "messages_tab_disabled": _TAB,
        "restricted_action": _PERMIT,
        "restricted_action_read_only_channel": _PERMIT,
        "restricted_action_thread_only_channel": _PERMIT,
        "posting_to_channel_denied": _PERMIT,
        "posting_to_general_channel_denied": _PERMIT,
        "access_denied": _ADMIN,
        "accesslimited": _ADMIN,
        "app_access_restricted": _ADMIN,
        "ekm_access_denied": _ADMIN,
        "enterprise_is_restricted": _ADMIN,
        "two_factor_setup_required": _ADMIN,
    }
)
# The thread takes no replies. The channel may take what was meant for it.
THREAD_GONE: Final = {
    "cannot_reply_to_message",
    "message_not_found",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "thread_not_found",
}
# The file is refused. The channel takes messages.
FILE_REFUSED: Final = {
    "file_upload_size_restricted": _FILES,
    "file_uploads_disabled": _FILES,
    "file_share_limit_reached": _FILES,
    "max_file_sharing_exceeded": _FILES,
    "storage_limit_reached": _STORAGE,
    "blocked_file_type": _TYPE,
    "file_type_not_allowed": _TYPE,
    "file_uploads_except_images_disabled": _TYPE,
    "malware_detected": _MALWARE,
    "messages_tab_disabled": _TAB,
    "slack_connect_blocked_file_type": _SHARED,
    "slack_connect_clip_sharing_blocked": _SHARED,
    "slack_connect_file_link_sharing_blocked": _SHARED,
    "slack_connect_file_upload_sharing_blocked": _SHARED,
}
# The form of the message is refused, or a link in it. A plainer one may be accepted.
REFUSED: Final = {
    "attachment_payload_limit_exceeded",
    "invalid_arguments",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "json_not_object",
    "invalid_json",
    "markdown_text_conflict",
    "missing_file_data",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "slack_connect_canvas_sharing_blocked",
    "slack_connect_file_link_sharing_blocked",
    "slack_connect_lists_sharing_blocked",
    "too_many_attachments",
    "too_many_contact_cards",
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


class UnknownCode(DeliveryError):
    """A code that is in no table. It is retried: a duplicate is better than a lost message."""

    def __init__(self, code: str) -> None:
        super().__init__(code, retryable=True, hint=UNKNOWN)


def translate_code(code: str, remarks: str, *, in_thread: bool, of_file: bool) -> DeliveryError:
    """Returns the error for a code of a call that names a thread, or shares a file, or neither.

    `remarks` are Slack's own about the form.
    """
    if in_thread and code in THREAD_GONE:
        return ThreadGone(code, _THREAD)
    if of_file and (code in FILE_REFUSED or code in REFUSED):
        return FileRefused(code, FILE_REFUSED.get(code) or remarks or UNKNOWN)
    if code in REFUSED:
        return MessageRefused(code, remarks)
    if code in MEND:
        return DeliveryError(code, retryable=False, hint=MEND[code])
    if code in PASSING:
        return DeliveryError(code, retryable=True)
    return UnknownCode(code)
