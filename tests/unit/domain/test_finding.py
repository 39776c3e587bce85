"""The identity and the severity of a finding."""

from chalicelib.domain.finding import Severity, finding_id, title_id


def test_the_finding_id_is_the_agreed_md5_of_instance_and_title() -> None:
    title = (
        "SSH must not allow direct root login : "
        'Parse Config permitrootlogin is expected to cmp == "no"'
    )

    assert finding_id("i-0123456789abcdef0", title) == "becb32d1b6ed99e64db0e6d3dac93639"


def test_the_finding_id_is_computed_from_utf_8_bytes() -> None:
    title = "Überprüfung : café is expected to exist"

    assert finding_id("mi-0123456789abcdef0", title) == "7db9cb38d80c934537b8214068aa74de"


def test_the_title_id_is_the_md5_of_the_title_alone() -> None:
    assert title_id("A") == "7fc56270e7a70fa81a5935b72eacbe29"


def test_an_unknown_severity_is_unspecified() -> None:
    words = ["critical ", "High", None, "", "DREADFUL"]

    assert [Severity.of(word) for word in words] == [
        Severity.CRITICAL,
        Severity.HIGH,
        Severity.UNSPECIFIED,
        Severity.UNSPECIFIED,
        Severity.UNSPECIFIED,
    ]


def test_severities_are_ranked_worst_first() -> None:
    assert sorted(Severity, key=lambda each: each.rank) == list(Severity)
