"""Masking secrets is stable, whatever a title is made of, and leaves none of the known forms."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.secrets import HINTS, MASK, mask_secrets
from chalicelib.domain.text import visible
from tests.fuzz.strategies import FUZZ, RAW_TEXT

PIECES = (
    *("password", "Passwd", "pass", "PWD", "secret", "token", "api_key", "access-key", "key"),
    *("credentials", "passphrase", "private key", "--", "--api-", "-", "_", "/", "etc/"),
    *("=", " = ", ":", ": ", " : ", "=>", ":=", "==", "=~", ">", "</", "<", "\\", '"', "'", '\\"'),
    *("Bearer ", "basic ", "Authorization", "://", "a:", "@", ";", "&", ".", ",", ")", "]", " "),
    *("AKIA", "ASIA", "QWERTYUIOPASDFGH", "xoxb-", "xapp-", "ghp_", "github_pat_", "glpat-"),
    *("eis_", "eyJ", "eyJhbGci.", "a1B2c3D4e5F6g7H8", "hooks.slack.com/services/", "hunter2"),
    *(
        "-----BEGIN ",
        "PRIVATE KEY-----",
        "-----END ",
        "\\n",
        "no",
        "14",
        "***",
        "*",
        "word",
        "\u200b",
    ),
    *("K", "ſ", "İ", "é", "0" * 40),  # noqa: RUF001 - letters that change their case oddly
)
TEXT = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)


@FUZZ
@given(TEXT | RAW_TEXT)
def test_visible_text_stays_as_it_is(text: str) -> None:
    shown = visible(text)

    assert visible(shown) == shown


@FUZZ
@given(TEXT)
def test_text_without_a_hint_has_nothing_to_mask(text: str) -> None:
    assert HINTS.search(text.lower()) or mask_secrets(text) == text


@FUZZ
@given(TEXT, TEXT)
def test_what_stands_around_a_password_does_not_reveal_it(before: str, after: str) -> None:
    shown = visible(f"{before} password=s3cr3t-Value {after}")

    assert "s3cr3t-Value" not in shown
    assert MASK in shown
