"""The match key: titles as people see and copy them. Patterns with stars."""

import unicodedata
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.domain.text import TextPattern, match_key, one_line, visible
from chalicelib.reports.csv_file import guard_cell

TITLES = st.text(
    st.characters() | st.sampled_from(" \t\n;'\"=+-@*\N{HORIZONTAL ELLIPSIS}AaİıßςſΣÅ\u0301\u0345"),  # noqa: RUF001 - special cases
    max_size=60,
)


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


@given(TITLES)
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
