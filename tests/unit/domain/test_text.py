"""The match key: titles as people see and copy them. Patterns with stars."""

import unicodedata
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.text import (
    TextPattern,
    cut,
    cut_key,
    has_part,
    match_key,
    one_line,
    visible,
)
from chalicelib.reports.csv_file import guard_cell

TITLES = st.text(
    st.characters() | st.sampled_from(" \t\n;'\"=+-@*\N{HORIZONTAL ELLIPSIS}AaİıßςſΣÅ\u0301\u0345"),  # noqa: RUF001 - special cases
    max_size=60,
)


# Pieces of titles that quote a secret, with runs of white space between them.
SECRETS = st.lists(
    st.sampled_from(
        [
            *(
                "password",
                "db_password",
                "token",
                "--password",
                "secret",
                "Authorization",
                "Bearer",
            ),
            *("=", ":", "=>", " ", "   ", "\t\t", "'", '"', ";", "/", "é", "e\u0301"),
            *("hunter2secret", "required", "nullok", "must", "not", "be", "eyJhbGciOi.eyJzdWIi.x"),
        ]
    ),
    max_size=14,
).map("".join)


@pytest.mark.parametrize(
    ("title", "copied"),
    [
        ("SSH  must not\tallow root", "SSH must not allow root"),
        ("a title with a space at its end ", "a title with a space at its end"),
        ("first line\n  second line", "first line   second line"),
        ("SSH must be off", "ssh MUST be off"),
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("mode 0644; -rw-r--r--", "mode 0644;' -rw-r--r--"),
        ("Überprüfung : café", unicodedata.normalize("NFD", "überprüfung : CAFÉ")),
        ("hidden\u200b space", "hidden space"),
        ("STRASSE", "straße"),
    ],
)
def test_a_title_and_its_copy_have_one_key(title: str, copied: str) -> None:
    assert match_key(title) == match_key(copied)


@pytest.mark.parametrize(
    ("one", "other"),
    [("SSH must be on", "SSH must be off"), ("a b", "ab"), ("it's", "its"), ("a*", "a")],
)
def test_another_title_has_another_key(one: str, other: str) -> None:
    assert match_key(one) != match_key(other)


@given(TITLES | SECRETS)
@example("\u1fb3")
@example("''; ' '=x")
def test_whatever_shows_a_title_keeps_its_key(title: str) -> None:
    key = match_key(title)

    assert match_key(key) == key
    assert match_key(visible(title)) == key
    assert match_key(guard_cell(title)) == key
    assert match_key(unicodedata.normalize("NFD", visible(title))) == key
    if key:
        assert match_key(one_line(title, 1_000)) == key


@pytest.mark.parametrize(
    "title",
    [
        "password:   hunter2secret must not",
        "db_password  =  hunter2secret",
        "token \t => hunter2secret",
        "curl --password     hunter2secret",
    ],
)
def test_a_run_of_white_space_hides_no_secret(title: str) -> None:
    shown = (visible(title), one_line(title, 100), match_key(title), guard_cell(title))

    assert not any("hunter2secret" in each for each in shown)


def test_a_text_without_a_secret_keeps_its_white_space() -> None:
    assert visible("password  must   be set") == "password  must   be set"


@given(TITLES | SECRETS, st.integers(1, 60))
def test_a_title_that_was_cut_is_a_beginning(title: str, longest: int) -> None:
    shown = one_line(title, longest)

    # an empty title is shown in words
    if match_key(title) and shown != one_line(title, 1_000):
        key = cut_key(shown)
        assert key is not None
        assert TextPattern.of_prefix(key).matches(match_key(title))
        assert has_part(title, shown)


def test_no_accent_is_cut_from_its_letter() -> None:
    assert cut("caf" + "e\u0301" * 3, 5) == "caf…"
    assert cut("\u0301" * 3, 2) == "…"


@pytest.mark.parametrize(
    ("part", "contained"),
    [("root", True), ("ROOT  l", True), ("SSH no ro…", True), ("x root", False), ("ro…x", False)],
)
def test_a_part_is_compared_by_keys(part: str, contained: bool) -> None:
    assert has_part("SSH  no root login", part) is contained


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [("token=*", True), ("*token=* is set", True), ("token=abc", False), ("token=abc*", False)],
)
def test_a_pattern_is_about_what_people_see_of_a_secret(
    pattern: str,
    matches: bool,
) -> None:
    assert TextPattern.of(pattern).matches(match_key("token=zzz is set")) is matches


@pytest.mark.parametrize(
    ("pattern", "title", "matches"),
    [
        ("SSH*", "ssh must be off", True),
        ("SSH*", "OpenSSH must be off", False),
        ("*ssh*off", "OpenSSH must be off", True),
        ("*ssh*on", "OpenSSH must be off", False),
        ("a*b*a", "aba", True),
        ("a*ba*a", "aba", False),
        ("ab*ba", "aba", False),
        ("a***b", "a to b", True),
        ("* /tmp/* *", "File /tmp/a is  writable", True),
        ("no star", "No  star", True),
        ("no star", "no star at all", False),
        (".*", "any text", False),
    ],
)
def test_a_star_is_any_text_and_nothing_else_is_special(
    pattern: str, title: str, matches: bool
) -> None:
    assert TextPattern.of(pattern).matches(match_key(title)) is matches


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_matches_if_texts_for_its_stars_make_the_title(pattern: str, title: str) -> None:
    parts = pattern.split("*")
    texts = [
        title[begin:end] for begin in range(len(title) + 1) for end in range(begin, len(title) + 1)
    ]
    filled = product(set(texts), repeat=min(len(parts) - 1, 3))
    expected = len(parts) - 1 > 3 or any(
        "".join(part + star for part, star in zip(parts, (*each, ""), strict=True)) == title
        for each in filled
    )

    if len(parts) - 1 <= 3:
        assert TextPattern.of(pattern).matches(title) is expected


def test_a_hostile_pattern_needs_no_second_try() -> None:
    """A matcher that tries again after each failure would not end."""
    pattern = TextPattern.of("*a" * 60 + "*b")

    assert not pattern.matches("a" * 200_000)
    assert TextPattern.of("*" * 500 + "b").parts == ("", "b")
