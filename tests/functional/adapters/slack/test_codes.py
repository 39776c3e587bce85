"""Every error code that Slack documents for a call has a class.

The lists are those of the pages under docs.slack.dev/reference/methods in September 2026.
"""

from collections.abc import Mapping

import pytest

from chalicelib.adapters.slack import codes
from chalicelib.adapters.slack.codes import UNKNOWN, UnknownCode, translate_code
from chalicelib.domain.errors import DeliveryError, FileRefused, MessageRefused, ThreadGone

REMARKS = "must be an array [json-pointer:/x]"

ANY_METHOD = {
    "permanent": """
        access_denied accesslimited account_inactive deprecated_endpoint ekm_access_denied
        enterprise_is_restricted invalid_arg_name invalid_array_arg invalid_auth invalid_charset
        invalid_form_data invalid_post_type method_deprecated missing_post_type missing_scope
        no_permission not_allowed_token_type not_authed team_access_not_granted token_expired
        token_revoked two_factor_setup_required
    """,
    "passing": """
        fatal_error internal_error org_login_required ratelimited request_timeout
        service_unavailable team_added_to_org
    """,
    "unknown": "brand_new_code",
}
# chat.postMessage
POST = {
    "permanent": """
        agent_prompt_display_not_allowed app_access_restricted as_user_not_supported
        channel_not_found draft_already_deleted draft_already_sent draft_has_conflict
        draft_not_found duplicate_channel_not_found duplicate_message_not_found
        invalid_metadata_format invalid_metadata_schema is_archived messages_tab_disabled
        metadata_must_be_sent_from_app metadata_too_large missing_argument not_in_channel
        restricted_action restricted_action_read_only_channel
        restricted_action_thread_only_channel send_on_behalf_not_allowed team_not_found
    """,
    "passing": "message_limit_exceeded rate_limited",
    "message refused": """
        attachment_payload_limit_exceeded invalid_arguments invalid_blocks invalid_blocks_format
        markdown_text_conflict missing_file_data msg_blocks_too_long msg_too_long no_text
        slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked
        slack_connect_lists_sharing_blocked too_many_attachments too_many_contact_cards
    """,
}
# The same in a thread. Other methods document the last two.
REPLY = {
    "thread gone": """
        cannot_reply_to_message restricted_action_non_threadable_channel
        restricted_action_thread_locked message_not_found thread_not_found
    """,
}
# files.getUploadURLExternal and files.completeUploadExternal
ATTACH = {
    "permanent": """
        alt_txt_too_large channel_not_found channels_limit_exceeded invalid_channel
        missing_argument not_in_channel posting_to_channel_denied snippet_too_large
        unknown_snippet_type unknown_subtype
    """,
    "passing": "file_not_found file_update_failed",
    "file refused": """
        file_type_not_allowed file_upload_size_restricted file_uploads_disabled
        file_uploads_except_images_disabled invalid_arguments invalid_blocks storage_limit_reached
    """,
}
# files.upload, the predecessor of both, and chat.update, which shares files too
ATTACH_ELSEWHERE = {
    "permanent": "is_archived posting_to_general_channel_denied restricted_action",
    "file refused": """
        blocked_file_type file_share_limit_reached malware_detected max_file_sharing_exceeded
        messages_tab_disabled slack_connect_blocked_file_type slack_connect_clip_sharing_blocked
        slack_connect_file_link_sharing_blocked slack_connect_file_upload_sharing_blocked
    """,
}


def list_codes(*tables: Mapping[str, str]) -> list[tuple[str, str]]:
    """Lists the codes of tables, each with its class."""
    rows = [row for table in tables for row in table.items()]
    return [(code, kind) for kind, words in rows for code in words.split()]


def name_kind(error: DeliveryError) -> str:
    """Returns the class of an error in the words of the tables."""
    named = {
        MessageRefused: "message refused",
        ThreadGone: "thread gone",
        FileRefused: "file refused",
        UnknownCode: "unknown",
        DeliveryError: "passing" if error.retryable else "permanent",
    }
    return named[type(error)]


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize(("code", "kind"), list_codes(ANY_METHOD, POST))
def test_each_documented_code_of_a_post_has_its_class(
    code: str, kind: str, in_thread: bool
) -> None:
    assert name_kind(translate_code(code, "", in_thread=in_thread, of_file=False)) == kind


@pytest.mark.parametrize("of_file", [False, True])
@pytest.mark.parametrize(("code", "kind"), list_codes(REPLY))
def test_a_thread_can_be_gone_for_a_reply_and_for_a_file(
    code: str, kind: str, of_file: bool
) -> None:
    assert name_kind(translate_code(code, "", in_thread=True, of_file=of_file)) == kind


@pytest.mark.parametrize("of_file", [False, True])
@pytest.mark.parametrize("code", sorted(codes.THREAD_GONE))
def test_without_a_thread_no_thread_is_gone(code: str, of_file: bool) -> None:
    error = translate_code(code, "", in_thread=False, of_file=of_file)

    assert name_kind(error) == "unknown"


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize(("code", "kind"), list_codes(ANY_METHOD, ATTACH, ATTACH_ELSEWHERE))
def test_each_documented_code_of_a_file_has_its_class(
    code: str, kind: str, in_thread: bool
) -> None:
    assert name_kind(translate_code(code, "", in_thread=in_thread, of_file=True)) == kind


def test_each_code_in_a_table_is_one_that_slack_documents() -> None:
    documented = {code for code, _ in list_codes(ANY_METHOD, POST, REPLY, ATTACH, ATTACH_ELSEWHERE)}
    # of a request that is not JSON, and of attachments
    documented |= {"invalid_json", "json_not_object", "invalid_attachments"}
    known = {*codes.MEND, *codes.PASSING, *codes.REFUSED, *codes.THREAD_GONE, *codes.FILE_REFUSED}

    assert known - documented == set()


def test_a_code_means_one_thing_for_a_message_and_one_for_a_file() -> None:
    tables = (codes.MEND, codes.PASSING, codes.REFUSED, codes.THREAD_GONE)

    assert len(set().union(*tables)) == sum(map(len, tables))
    assert codes.FILE_REFUSED.keys() & set().union(*tables) == {
        "messages_tab_disabled",
        "slack_connect_file_link_sharing_blocked",
    }


@pytest.mark.parametrize("code", sorted({**codes.MEND, **codes.FILE_REFUSED}))
def test_every_lasting_refusal_says_what_to_do(code: str) -> None:
    for of_file in (False, True):
        error = translate_code(code, REMARKS, in_thread=False, of_file=of_file)
        assert error.hint


def test_a_refused_form_of_a_file_quotes_what_slack_says_or_where_to_look() -> None:
    quoted = translate_code("invalid_arguments", REMARKS, in_thread=False, of_file=True)
    bare = translate_code("invalid_arguments", "", in_thread=False, of_file=True)

    assert (quoted.hint, bare.hint) == (REMARKS, UNKNOWN)


def test_an_unknown_code_is_retried_and_can_be_told_from_a_passing_one() -> None:
    error = translate_code("brand_new_code", "", in_thread=True, of_file=True)

    assert isinstance(error, UnknownCode)
    assert (error.retryable, error.hint) == (True, UNKNOWN)
